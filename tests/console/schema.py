"""What ``--json`` promises to programs, written down a second time: a key that goes, or changes its type, is
seen here. Every key is required, and there are no others."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def an_object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def a_list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
AMOUNT = {"type": "number", "minimum": 0}
NUMBER = {"type": "number"}
TIME = or_null({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"})
COUNTS = {"type": "object", "additionalProperties": COUNT}
DRIVER = or_null(an_object(host=TEXT, pid=COUNT, started_at=TIME))
TRIAL = an_object(
    trial=TEXT,
    config=TEXT,
    seed=COUNT,
    status=TEXT,
    reason=TEXT,
    activity=TEXT,
    attempts=COUNT,
    step=COUNT,
    total_steps=COUNT,
    kimg=AMOUNT,
    images_per_second=AMOUNT,
    training_seconds=AMOUNT,
    d_loss=or_null(NUMBER),
    g_loss=or_null(NUMBER),
    best_step=or_null(COUNT),
    best_value=or_null(NUMBER),
    device=TEXT,
    host=TEXT,
    started_at=TIME,
    updated_at=TIME,
    checkpointed_at=TIME,
    notes=a_list(TEXT),
)
STATUS = an_object(
    job=or_null(TEXT),
    directory=or_null(TEXT),
    counts=COUNTS,
    images_per_second=AMOUNT,
    created_at=TIME,
    submitted_by=TEXT,
    driver=DRIVER,
    submission=or_null(an_object(id=TEXT, status=TEXT, submitted_at=TIME, ended_at=TIME)),
    trials=a_list(TRIAL),
)
JOBS = an_object(
    storage=TEXT,
    jobs=a_list(
        an_object(
            job=TEXT,
            directory=TEXT,
            problem=or_null(TEXT),
            trials=COUNT,
            counts=COUNTS,
            images_per_second=AMOUNT,
            created_at=TIME,
            submitted_by=TEXT,
            written_at=TIME,
            report=or_null(TEXT),
            driver=DRIVER,
        )
    ),
    others=COUNT,
)
VALIDATION = an_object(
    job=TEXT,
    trials=COUNT,
    steps=COUNT,
    images=COUNT,
    training_seconds=or_null(AMOUNT),
    configurations=a_list(
        an_object(
            config=TEXT,
            seeds=COUNT,
            steps=COUNT,
            images=COUNT,
            generator_parameters=COUNT,
            discriminator_parameters=COUNT,
            gflop_per_step=AMOUNT,
            ms_per_step=or_null(AMOUNT),
            images_per_second=or_null(AMOUNT),
            peak_memory_gib=or_null(AMOUNT),
            training_seconds=or_null(AMOUNT),
        )
    ),
)


def keys(schema: Schema) -> set[str]:
    """Every key that a document of that schema may have."""
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
    properties = schema.get("properties", {})
    return set(properties).union(*map(keys, [*inner, *properties.values()]))

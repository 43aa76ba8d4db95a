"""What the sections of a job file may name: the variants of each kind (losses, models, metrics, ...).

Most are files in the folder of their kind. Others are classes of plug-ins that are in use in this process;
how those are found and loaded is known to ``gandist.spec.plugins``. A pydantic type that is made here looks
up the variants each time it validates a value: a plug-in that comes or goes changes no model.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, create_model
from pydantic_core import CoreSchema, core_schema

from gandist.errors import UsageError
from gandist.spec.base import Section, first_line, modules

T = TypeVar("T")


@dataclass(frozen=True)
class Plugin:
    """Code of the user's own: a Python file, or what an installed package offers.

    Attributes:
        name: ``my`` of a file ``my.py``; or the entry point of the package.
        version: ``sha256:`` and the hash of the file; or the package and its version.
        source: the file's content; None for a package.
        path: where it was found, for messages.
    """

    name: str
    version: str
    source: bytes | None = None
    path: str = field(default="", compare=False)

    @property
    def argument(self) -> str:
        """What ``--plugin`` takes for it, where its file lies in the current directory."""
        return self.name if self.source is None else f"{self.name}.py"


@dataclass(frozen=True, eq=False)
class Use:
    """The plug-ins that are in use.

    Attributes:
        plugins: in the order given.
        variants: their classes, by kind and name.
        origins: which plug-in each of these classes is from.
    """

    plugins: tuple[Plugin, ...] = ()
    variants: Mapping[str, Mapping[str, type]] = field(default_factory=dict)
    origins: Mapping[type, Plugin] = field(default_factory=dict)


_in_use = Use()
_held = 0
"""How many jobs need the plug-ins in use to stay."""


def in_use() -> Use:
    """The plug-ins of which variants are known at the moment, in this process."""
    return _in_use


def take_into_use(use: Use) -> None:
    """Know the variants of these plug-ins from now on, and of no others.

    Raises:
        UsageError: a job with others is running in this process.
    """
    global _in_use
    if _held and use.plugins != _in_use.plugins:
        names = ", ".join(plugin.name for plugin in _in_use.plugins) or "none"
        raise UsageError(f"a job with other plug-ins ({names}) runs in this process; wait until it has ended")
    if use.plugins != _in_use.plugins:
        _in_use = use


@contextmanager
def held() -> Iterator[None]:
    """Nobody takes other plug-ins into use."""
    global _held
    _held += 1
    try:
        yield
    finally:
        _held -= 1


def origin(variant: Any) -> Plugin | None:
    """The plug-in that ``variant``, an instance, is from; None for one of gandist's own."""
    return _in_use.origins.get(type(variant))


def home(options: Section) -> Any:
    """Where the functions of a variant are: the module of its options, or their class in a plug-in."""
    module = sys.modules[type(options).__module__]
    return module if getattr(module, "Options", None) is type(options) else type(options)


class Kind(Mapping[str, T]):
    """The variants of one kind by their names in a job file; gandist's own first.

    Args:
        package: the folder of gandist's own: a module in it is one unless its name begins with ``_``.
        base: what a class in a plug-in extends to be one.
        functions: what such a class has besides, as methods; gandist's own have them as functions beside
            their ``Options``, which they take first.
        of_module: what is looked up, of a module.
        of_class: what is looked up, of a class.
    """

    every: ClassVar[dict[str, Kind[Any]]] = {}
    """All kinds, by the names of their folders."""

    def __init__(
        self,
        package: str,
        base: type,
        functions: tuple[str, ...] = (),
        of_module: Callable[[ModuleType], T] = operator.attrgetter("Options"),
        of_class: Callable[[type], T] = lambda found: found,  # type: ignore[assignment, return-value]
    ) -> None:
        self.package, self.base, self.functions = package, base, functions
        self.name = package.rpartition(".")[2]
        self._of_module, self._of_class = of_module, of_class
        Kind.every[self.name] = self

    def __getitem__(self, name: str) -> T:
        if name in self.own:
            return self._of_module(self.own[name])
        return self._of_class(_in_use.variants[self.name][name])

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from _in_use.variants.get(self.name, ())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @functools.cached_property
    def own(self) -> dict[str, ModuleType]:
        """The modules in the folder."""
        return {module.__name__.rpartition(".")[2]: module for module in modules(self.package)}


def choice(kind: Kind[type[Section]]) -> Any:
    """A pydantic type that accepts the options of any variant, which their ``name`` distinguishes."""

    def of_now() -> Any:
        options = list(kind.values())
        if len(options) == 1:
            return options[0]
        return Annotated[functools.reduce(operator.or_, options), Field(discriminator="name")]

    return _looked_up(of_now)


def names(kind: Kind[Any]) -> Any:
    """A pydantic type that accepts the name of any variant."""
    return _looked_up(lambda: Literal[tuple(kind)])


def by_name(kind: Kind[type[Section]], doc: str) -> tuple[Any, Section]:
    """A section with a key for each variant, its options or null: a pydantic type, and one without any."""

    def model(base: type[Section], described: Mapping[str, str]) -> type[Section]:
        fields: dict[str, Any] = {
            name: (Annotated[kind[name] | None, Field(description=text)], None)
            for name, text in described.items()
        }
        return create_model(kind.name.title(), __base__=base, __doc__=doc, **fields)

    own = model(Section, {name: first_line(module) for name, module in kind.own.items()})

    def of_now() -> Any:
        more = _in_use.variants.get(kind.name, {})
        return model(own, {name: first_line(found) for name, found in more.items()}) if more else own

    return _looked_up(of_now), own()


def _looked_up(of_now: Callable[[], Any]) -> Any:
    """A pydantic type that accepts what the type accepts which ``of_now`` makes: once for each ``Use``."""
    made = functools.lru_cache(maxsize=4)(lambda _: of_now())
    adapter = functools.lru_cache(maxsize=4)(lambda use: TypeAdapter(made(use)))

    def json(_: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        now = made(_in_use)  # a model's own schema has its name, an adapter's has not
        found = getattr(now, "__pydantic_core_schema__", adapter(_in_use).core_schema)
        return handler(core_schema.definitions_schema(found, []))

    class LookedUp:
        @classmethod
        def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
            return core_schema.no_info_plain_validator_function(
                lambda value: adapter(_in_use).validate_python(value),
                serialization=core_schema.simple_ser_schema("any"),
                # pydantic's own key: what __get_pydantic_json_schema__ of a type returns stands where it is
                # used, without a name.
                metadata={"pydantic_js_annotation_functions": [json]},
            )

    return LookedUp

// Follows one job, or several side by side: asks for what has changed, and draws it.
import { Chart } from "/static/chart.js";

const TINTS = 7;
const DASHES = [null, "6 3", "2 3", "8 3 2 3"];
const found = (id) => document.getElementById(id);
const controls = Object.fromEntries(["axis", "lines", "smooth", "logarithmic", "whole"].map((id) => [id, found(id)]));
const jobs = [...document.querySelectorAll("section[data-url]")].map((section) => ({
  name: section.dataset.job,
  url: section.dataset.url,
  since: 0,
  series: { configs: {}, trials: {} },
  configs: [],
  trials: [],
  panels: [],
}));
const parts = (job) => document.querySelectorAll(`.job[data-job="${CSS.escape(job.name)}"]`);
const charts = new Map();
const off = { configs: new Set(), seeds: new Set() };
const shared = {
  whole: [0, 1],
  range: null,
  at: null,
  from: null,
  changed() {
    controls.whole.disabled = shared.range === null;
    for (const chart of charts.values()) chart.draw();
  },
  pointed(here) {
    for (const chart of charts.values()) chart.point(chart === here);
  },
};

const clock = (seconds) =>
  seconds >= 5400 ? `${(seconds / 3600).toFixed(1)} h` : seconds >= 90 ? `${(seconds / 60).toFixed(1)} min` : `${seconds.toFixed(0)} s`;
const plain = (value) => value.toLocaleString("en", { maximumSignificantDigits: 5 });
const AXES = {
  kimg: { label: "kimg", show: plain, of: () => (x) => x },
  steps: { label: "step", show: plain, of: (series) => series.steps && ((x) => x * series.steps) },
  epochs: { label: "epoch", show: plain, of: (series) => series.epochs && ((x) => x * series.epochs) },
  time: { label: "time", show: clock, of: (series) => series.clock[0].length && ((x) => between(series.clock, x)) },
};

function between([from, to], x) {
  let i = from.findIndex((each) => each >= x);
  if (i < 0) return to[to.length - 1];
  if (i === 0) return to[0];
  return to[i - 1] + ((to[i] - to[i - 1]) * (x - from[i - 1])) / (from[i] - from[i - 1]);
}

function smoothed(values, weight) {
  let mean = 0, share = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    share = weight * share + (1 - weight);
    return mean / share;
  });
}

// Every configuration of every job, in order: its colour stays whatever is switched on or off.
function colours() {
  const known = new Map();
  for (const job of jobs) for (const config of job.configs) known.set(key(job, config), known.size);
  return known;
}

const key = (job, config) => `${job.name}/${config}`;
const label = (job, name) => (jobs.length > 1 ? `${job.name}: ${name}` : name);

function lines(panel, places) {
  const made = [], weight = Number(controls.smooth.value), axis = AXES[controls.axis.value];
  const add = (job, series, config) => {
    const curve = series?.curves[panel.key];
    if (!curve || off.configs.has(key(job, config))) return;
    const along = axis.of(series), place = places.get(key(job, config)) ?? 0;
    made.push({
      label: label(job, series.name),
      tint: (place % TINTS) + 1,
      dash: DASHES[Math.floor(place / TINTS) % DASHES.length],
      x: along ? series.axes[curve.x].map(along) : [],
      y: weight ? smoothed(curve.y, weight) : curve.y,
      raw: weight ? curve.y : null,
      low: weight ? null : curve.low,
      high: weight ? null : curve.high,
    });
  };
  for (const job of jobs) {
    if (controls.lines.value === "configs") for (const config of job.configs) add(job, job.series.configs[config], config);
    else for (const trial of job.trials) if (!off.seeds.has(trial.seed)) add(job, job.series.trials[trial.id], trial.config);
  }
  return made;
}

function draw() {
  const places = colours(), axis = AXES[controls.axis.value];
  const panels = new Map(jobs.flatMap((job) => job.panels.map((panel) => [panel.key, panel])));
  const all = new Map([...panels].map(([name, panel]) => [name, lines(panel, places)]));
  const ends = [...all.values()].flat().flatMap((line) => (line.x.length ? [line.x[0], line.x[line.x.length - 1]] : []));
  if (ends.length) shared.whole = [ends.reduce((a, b) => Math.min(a, b)), ends.reduce((a, b) => Math.max(a, b))];
  let extra = 0;
  for (const [name, panel] of panels) {
    const drawn = all.get(name);
    if (panel.extra && !jobs.some((job) => Object.values(job.series.configs).some((series) => series.curves[name]))) continue;
    if (!charts.has(name)) charts.set(name, new Chart(panel, shared));
    const chart = charts.get(name);
    const parent = found(panel.extra ? "extra" : "panels");
    if (chart.root.parentElement !== parent) parent.append(chart.root);
    extra += panel.extra;
    chart.describe(panel);
    chart.set(drawn, { label: axis.label, show: axis.show, log: controls.logarithmic.checked });
  }
  for (const [name, chart] of charts) if (!panels.has(name)) chart.root.remove(), charts.delete(name);
  // Metrics first, in the order in which the jobs name them.
  for (const name of panels.keys()) if (charts.has(name)) charts.get(name).root.parentElement.append(charts.get(name).root);
  found("more").hidden = !extra;
  controls.lines.closest("label").hidden = jobs.every((job) => job.trials.length <= job.configs.length);
}

function toggle(text, set, value, tint, dash) {
  const button = document.createElement("button");
  button.type = "button";
  if (tint) {
    const swatch = document.createElement("span");
    swatch.className = `swatch series-${tint}${dash ? " dashed" : ""}`;
    button.append(swatch);
  }
  button.append(text);
  button.setAttribute("aria-pressed", String(!set.has(value)));
  button.addEventListener("click", () => {
    if (!set.delete(value)) set.add(value);
    button.setAttribute("aria-pressed", String(!set.has(value)));
    draw();
  });
  return button;
}

function legend() {
  const places = colours(), buttons = [];
  for (const job of jobs)
    for (const config of job.configs) {
      const place = places.get(key(job, config));
      buttons.push(toggle(label(job, config), off.configs, key(job, config), (place % TINTS) + 1, place >= TINTS));
    }
  const seeds = [...new Set(jobs.flatMap((job) => job.trials.map((trial) => trial.seed)))].sort((a, b) => a - b);
  if (controls.lines.value === "trials" && seeds.length > 1)
    seeds.forEach((seed, i) => {
      const button = toggle(`seed ${seed}`, off.seeds, seed);
      if (!i) button.classList.add("apart");
      buttons.push(button);
    });
  found("series").replaceChildren(...buttons);
  found("controls").hidden = false;
}

function put(target, html) {
  if (target && target.shown !== html) {
    target.innerHTML = html; // escaped by the server; and no script in it would run here
    target.shown = html;
  }
}

function take(job, answer) {
  for (const part of parts(job)) {
    put(part.querySelector(".head"), answer.head);
    if (!answer.sections) continue;
    for (const target of part.querySelectorAll("[data-section]")) {
      put(target, answer.sections[target.dataset.section]?.body ?? "");
      const block = target.closest("[data-block]");
      if (block) block.hidden = !target.innerHTML;
    }
    for (const target of part.querySelectorAll("[data-part]")) {
      put(target, answer[target.dataset.part]);
      const block = target.closest("[data-block]");
      if (block) block.hidden = false;
    }
  }
  const changed = answer.sections !== undefined;
  if (changed) {
    const described = document.querySelector(".description");
    if (described) described.textContent = answer.description;
    Object.assign(job, { configs: answer.configs, trials: answer.trials, panels: answer.panels });
    for (const kind of ["configs", "trials"]) Object.assign(job.series[kind], answer.series[kind]);
  }
  job.since = answer.revision;
  job.runs = answer.runs;
  return changed;
}

async function refresh(job) {
  const response = await fetch(`${job.url}?since=${job.since}`);
  if (response.status === 401) return location.reload();
  if (!response.ok) {
    const told = new DOMParser().parseFromString(await response.text(), "text/html");
    throw new Error(told.querySelector("main")?.textContent.trim() || response.statusText);
  }
  return take(job, await response.json());
}

async function follow() {
  if (!document.hidden) {
    const told = await Promise.allSettled(jobs.map(refresh));
    const failed = told.find((each) => each.status === "rejected");
    found("lost").textContent = !failed ? ""
      : failed.reason instanceof TypeError ? "· gandist serve does not answer; trying again" : `· ${failed.reason.message}`;
    if (told.some((each) => each.value)) {
      legend();
      draw();
    }
  }
  setTimeout(follow, jobs.some((job) => job.runs) ? 1000 : 5000);
}

for (const control of Object.values(controls))
  control.addEventListener("input", () => {
    if (control === controls.axis) shared.range = null, shared.changed();
    legend();
    draw();
  });
controls.whole.addEventListener("click", () => {
  shared.range = null;
  shared.changed();
});
found("more").addEventListener("toggle", draw);
follow();

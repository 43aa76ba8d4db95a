// A line chart: any number of lines with abscissae of their own, a value at the pointer, a zoom.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240, LEFT = 54, RIGHT = 10, TOP = 8, BOTTOM = 30;
const MOST_VALUES = 14;

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}

function ticks(low, high, most) {
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return found;
}

// Index of the abscissa closest to `at`; `x` grows.
export function nearest(x, at) {
  let low = 0, high = x.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low > 0 && at - x[low - 1] < x[low] - at ? low - 1 : low;
}

// An axis for `values`, without the few that would flatten all others.
function limits(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return [0, 1];
  let low = sorted[0], high = sorted[sorted.length - 1];
  const from = sorted[Math.floor(0.01 * (sorted.length - 1))], to = sorted[Math.ceil(0.99 * (sorted.length - 1))];
  if (to > from && high - low > 4 * (to - from)) [low, high] = [from, to];
  const margin = 0.06 * (high - low) || 0.5 * Math.max(Math.abs(high), 1e-6);
  return [low - margin, high + margin];
}

export class Chart {
  // `shared`, the same for all charts of a page: whole and range (what is zoomed to, or null), [from, to]; at (the
  // pointer) and from (where a zoom began), or null; changed(), and pointed(chart).
  constructor(panel, shared) {
    this.shared = shared;
    this.lines = [];
    this.root = document.createElement("div");
    this.root.className = "chart";
    this.root.dataset.panel = panel.key;
    this.heading = document.createElement("h3");
    this.root.append(this.heading);
    this.svg = element("svg", { role: "img", height: HEIGHT }, this.root);
    this.values = document.createElement("div");
    this.values.className = "values";
    this.values.hidden = true;
    this.root.append(this.values);
    this.describe(panel);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.root);
  }

  describe(panel) {
    this.heading.textContent = panel.title + " ";
    if (panel.note) {
      const note = document.createElement("small");
      note.textContent = panel.note;
      this.heading.append(note);
    }
    this.svg.setAttribute("aria-label", panel.title);
  }

  // lines: [{label, tint, dash, x, y, raw, low, high}]; axis: {label, log}
  set(lines, axis) {
    this.lines = lines;
    this.axis = axis;
    this.draw();
  }

  listen() {
    let from = null;
    const at = (event) => this.invert(event.clientX - this.svg.getBoundingClientRect().left);
    this.svg.addEventListener("pointermove", (event) => {
      if (!this.scale) return;
      this.shared.at = at(event);
      this.shared.from = from;
      this.shared.pointed(this);
    });
    this.svg.addEventListener("pointerleave", () => {
      this.shared.at = this.shared.from = from = null;
      this.shared.pointed(null);
    });
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0 && this.scale) {
        from = at(event);
        this.svg.setPointerCapture(event.pointerId);
      }
    });
    this.svg.addEventListener("pointerup", (event) => {
      const to = from === null ? null : at(event);
      const start = from;
      from = this.shared.from = null;
      if (to === null || Math.abs(this.place(to) - this.place(start)) < 8) return this.shared.pointed(this);
      this.shared.range = [Math.min(start, to), Math.max(start, to)];
      this.shared.changed();
    });
    this.svg.addEventListener("dblclick", () => {
      this.shared.range = null;
      this.shared.changed();
    });
  }

  place(x) {
    const { from, to, width } = this.scale;
    return LEFT + ((x - from) / (to - from)) * (width - LEFT - RIGHT);
  }

  invert(pixel) {
    const { from, to, width } = this.scale;
    const share = Math.min(1, Math.max(0, (pixel - LEFT) / (width - LEFT - RIGHT)));
    return from + share * (to - from);
  }

  height(y) {
    const { low, high, log } = this.scale;
    const value = log ? Math.log10(y) : y;
    return HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  }

  draw() {
    const width = Math.floor(this.root.clientWidth);
    this.svg.replaceChildren();
    this.scale = null;
    this.values.hidden = true;
    if (!width || !this.axis) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    let [from, to] = this.shared.range ?? this.shared.whole;
    if (!this.lines.some((line) => line.x.length)) {
      element("text", { x: LEFT, y: HEIGHT / 2 }, this.svg, this.lines.length ? "not known against this axis" : "nothing yet");
      return;
    }
    if (to <= from) [from, to] = [from - 0.5, to + 0.5];
    const inside = [];
    for (const line of this.lines)
      line.x.forEach((x, i) => {
        if (x >= from && x <= to) for (const y of [line.y, line.low, line.high]) if (y && y[i] !== null) inside.push(y[i]);
      });
    const log = this.axis.log && inside.every((y) => y > 0) && inside.length > 0;
    const [low, high] = limits(log ? inside.map(Math.log10) : inside);
    this.scale = { from, to, low, high, log, width };
    this.frame();
    const clip = `clip-${this.root.dataset.panel}`;
    const box = { x: LEFT - 4, y: TOP, width: width - LEFT - RIGHT + 8, height: HEIGHT - TOP - BOTTOM + 4 };
    element("rect", box, element("clipPath", { id: clip }, this.svg));
    const plot = element("g", { "clip-path": `url(#${clip})` }, this.svg);
    for (const line of this.lines) this.line(line, plot);
    this.pointer = element("g", {}, this.svg);
  }

  frame() {
    const { from, to, low, high, log, width } = this.scale;
    const bottom = HEIGHT - BOTTOM;
    for (const y of ticks(low, high, 4)) {
      const at = bottom - ((y - low) / (high - low)) * (bottom - TOP);
      element("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: at, y2: at }, this.svg);
      element("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, this.svg, short(log ? 10 ** y : y));
    }
    for (const x of ticks(from, to, Math.max(2, Math.floor(width / 110)))) {
      const end = this.place(x) > width - 24;
      element("text", { x: this.place(x), y: bottom + 14, "text-anchor": end ? "end" : "middle" }, this.svg, this.axis.show(x));
    }
    element("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: bottom, y2: bottom }, this.svg);
    element("text", { x: width - RIGHT, y: HEIGHT - 2, "text-anchor": "end" }, this.svg, this.axis.label + (log ? ", logarithmic" : ""));
  }

  line(line, plot) {
    if (line.low) {
      const there = line.x.map((_, i) => i).filter((i) => line.low[i] !== null && this.fits(line.low[i]));
      const points = [...there.map((i) => [line.x[i], line.high[i]]), ...there.reverse().map((i) => [line.x[i], line.low[i]])];
      if (points.length > 2) element("path", { class: `range tint-${line.tint}`, d: `${this.path(points)}Z` }, plot);
    }
    if (line.raw) element("path", { class: `line raw tint-${line.tint}`, d: this.path(line.x.map((x, i) => [x, line.raw[i]])) }, plot);
    const drawn = line.x.map((x, i) => [x, line.y[i]]).filter(([, y]) => y !== null && this.fits(y));
    const style = line.dash ? { "stroke-dasharray": line.dash } : {};
    element("path", { class: `line tint-${line.tint}`, fill: "none", d: this.path(drawn), ...style }, plot);
    if (drawn.length <= 40)
      for (const [x, y] of drawn) element("circle", { class: `tint-${line.tint}`, cx: this.place(x), cy: this.height(y), r: 2.4 }, plot);
  }

  fits(y) {
    return !this.scale.log || y > 0;
  }

  path(points) {
    return points.filter(([x, y]) => y !== null && Number.isFinite(x) && this.fits(y))
      .map(([x, y], i) => `${i ? "L" : "M"}${this.place(x).toFixed(1)} ${this.height(y).toFixed(1)}`).join("");
  }

  // Show what all lines have at the pointer; as numbers where the pointer is on this chart.
  point(here) {
    this.pointer?.replaceChildren();
    this.values.hidden = true;
    const { at, from } = this.shared;
    if (!this.scale || at === null || at < this.scale.from || at > this.scale.to) return;
    const x = this.place(at);
    if (from !== null && here) {
      const edges = [this.place(from), x].sort((a, b) => a - b);
      element("rect", { class: "zoom", x: edges[0], y: TOP, width: edges[1] - edges[0], height: HEIGHT - TOP - BOTTOM }, this.pointer);
    }
    element("line", { class: "at", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }, this.pointer);
    if (!here || !this.lines.length) return;
    const table = document.createElement("table");
    table.createCaption().textContent = `${this.axis.label} ${this.axis.show(at)}`;
    for (const line of this.lines.slice(0, MOST_VALUES)) {
      const i = nearest(line.x, at);
      const known = line.y[i] !== undefined && line.y[i] !== null && at >= line.x[0] && i >= 0;
      if (known && this.fits(line.y[i]))
        element("circle", { class: `tint-${line.tint}`, cx: this.place(line.x[i]), cy: this.height(line.y[i]), r: 3.5 }, this.pointer);
      const row = table.insertRow(), name = document.createElement("th"), swatch = document.createElement("span");
      swatch.className = `swatch series-${line.tint}`;
      name.append(swatch, line.label);
      row.append(name);
      row.insertCell().textContent = known ? short(line.y[i]) : "–";
    }
    if (this.lines.length > MOST_VALUES) table.insertRow().insertCell().textContent = `and ${this.lines.length - MOST_VALUES} more`;
    this.values.replaceChildren(table);
    this.values.hidden = false;
    const right = x < this.scale.width / 2;
    this.values.style.left = right ? `${x + 12}px` : "auto";
    this.values.style.right = right ? "auto" : `${this.scale.width - x + 12}px`;
  }
}

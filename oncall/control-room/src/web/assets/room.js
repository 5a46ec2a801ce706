// What a page gains with a script: it stays fresh, its curves can be read, and the keyboard is enough. Everything else works without.
// Long, because its parts share the helpers below, and a page asks for one script only.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const typing = (element) => element?.matches?.("input:not([type=checkbox], [type=radio], [type=submit]), textarea, select");

  // -- Times: the words are those of parts/time.rs ------------------------------------------------------------------------
  const rough = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 172800) return `${Math.floor(s / 3600)} h`;
    return `${Math.floor(s / 86400)} d`;
  };
  const distance = (passed) => (Math.abs(passed) < 2 ? "now" : passed > 0 ? `${rough(passed)} ago` : `in ${rough(-passed)}`);
  const freshen = () => {
    for (const time of all("time[data-ago], time[data-lasting]")) {
      const passed = (Date.now() - Date.parse(time.dateTime)) / 1000;
      const text = "ago" in time.dataset ? distance(passed) : rough(passed);
      if (time.textContent !== text) time.textContent = text;
    }
    for (const time of all("time[data-remaining]")) {
      const text = `${rough((Date.parse(time.dateTime) - Date.now()) / 1000)} left`;
      if (time.textContent !== text) time.textContent = text;
    }
    for (const time of all("time[data-left]")) {
      const left = Math.max(0, Math.floor((Date.parse(time.dateTime) - Date.now()) / 1000));
      const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (time.textContent !== text) time.textContent = text;
    }
  };
  setInterval(() => document.hidden || freshen(), 1000);

  // -- Fresh pages ---------------------------------------------------------------------------------------------------------
  // A refresh waits while somebody writes, reads a dialog, selects text, or does not look.
  const busy = (target) => {
    const active = document.activeElement;
    const selected = document.getSelection();
    return document.hidden
      || (typing(active) && target.contains(active))
      || document.querySelector("dialog[open]")
      || (selected && !selected.isCollapsed && target.contains(selected.anchorNode));
  };
  const stale = document.getElementById("stale");
  let fresh = Date.now();
  const isFresh = () => { fresh = Date.now(); if (stale) stale.hidden = true; };
  const isStale = () => {
    if (!stale || Date.now() - fresh < 6000) return;
    document.getElementById("stale-since").textContent = new Date(fresh).toISOString().slice(11, 19) + " UTC";
    stale.hidden = false;
  };
  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.request.method === "GET" && busy(ctx.sourceElement)) event.preventDefault();
  });
  document.addEventListener("htmx:before:response", (event) => {
    const answer = event.detail.ctx.response.raw;
    // An error page, or the page for logging in, must not replace what a person reads.
    if (!answer.ok || answer.redirected) { event.preventDefault(); isStale(); }
  });
  document.addEventListener("htmx:error", isStale);
  document.addEventListener("htmx:after:swap", () => { isFresh(); freshen(); charts.refresh(); });

  // Whatever is recorded refreshes the page at once. One connection per window that is seen: browsers allow six for a host.
  let events, wait;
  const news = () => {
    wait ??= setTimeout(() => {
      wait = undefined;
      const target = document.querySelector("[hx-trigger]");
      if (target) window.htmx?.trigger(target, "news");
    }, 200);
  };
  const listen = () => {
    if (document.hidden) { events?.close(); events = undefined; return; }
    if (events || !document.querySelector("[hx-trigger]")) return;
    events = new EventSource("/api/v1/events");
    for (const kind of ["incident", "change", "page", "action", "rota", "message", "postmortem", "watch"]) {
      events.addEventListener(kind, news);
    }
    events.addEventListener("drill", news);
  };
  document.addEventListener("visibilitychange", () => { listen(); if (!document.hidden) news(); });

  // -- Light and dark --------------------------------------------------------------------------------------------------------
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const toggleTheme = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* only for this page then */ }
    charts.redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.redraw());

  // -- Keyboard ----------------------------------------------------------------------------------------------------------------
  const keys = document.getElementById("keys");
  let before = "";
  const step = (by) => {
    const items = all("main [data-item]").filter((item) => item.offsetParent);
    if (!items.length) return;
    const at = items.indexOf(document.activeElement);
    items[Math.min(items.length - 1, Math.max(0, at + by))].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(document.activeElement)) { document.activeElement.blur(); return; }
    if (typing(document.activeElement) || keys?.open) return;
    const last = before;
    before = event.key;
    if (last === "g") {
      const link = all(".side a[data-key]").find((entry) => entry.dataset.key === event.key);
      if (link) { link.click(); event.preventDefault(); }
      return;
    }
    const does = { "?": () => keys?.showModal(), t: toggleTheme, j: () => step(1), k: () => step(-1),
      "/": () => document.querySelector("main input:not([type=hidden]), main select, main textarea")?.focus() }[event.key];
    if (does) { event.preventDefault(); does(); }
  });

  // -- Curves --------------------------------------------------------------------------------------------------------------------
  const significant = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 9.995) return String(+value.toFixed(2)) === "0" ? value.toPrecision(2) : String(+value.toFixed(2));
    return size < 99.95 ? String(+value.toFixed(1)) : Math.round(value).toString();
  };
  const scaled = (value, base, names) => {
    let at = 0;
    while (Math.abs(value) >= base && at < names.length - 1) { value /= base; at += 1; }
    return significant(value) + names[at];
  };
  const BYTES = [" B", " KiB", " MiB", " GiB", " TiB"];
  const THOUSANDS = ["", " k", " M", " G", " T"];
  const units = {
    s: (v) => (Math.abs(v) >= 120 ? `${significant(v / 60)} min` : Math.abs(v) >= 1 || v === 0 ? `${significant(v)} s`
      : Math.abs(v) >= 1e-3 ? `${significant(v * 1e3)} ms` : `${significant(v * 1e6)} µs`),
    ms: (v) => units.s(v / 1000),
    percentunit: (v) => `${+(v * 100).toPrecision(Math.abs(v) > 0.99 && Math.abs(v) < 1 ? 5 : 3)} %`,
    percent: (v) => `${significant(v)} %`,
    bytes: (v) => scaled(v, 1024, BYTES),
    binBps: (v) => `${scaled(v, 1024, BYTES)}/s`,
    Bps: (v) => `${scaled(v, 1024, BYTES)}/s`,
    reqps: (v) => `${scaled(v, 1000, THOUSANDS)}/s`,
    ops: (v) => `${scaled(v, 1000, THOUSANDS)}/s`,
    cps: (v) => `${scaled(v, 1000, THOUSANDS)}/s`,
    currencyUSD: (v) => `$${scaled(v, 1000, THOUSANDS)}`,
    short: (v) => scaled(v, 1000, THOUSANDS),
  };
  const format = (unit) => (value) => (value == null || !Number.isFinite(value) ? "–" : (units[unit] ?? units.short)(value));
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const clock = (seconds, exact) => new Date(seconds * 1000).toISOString().slice(11, exact ? 19 : 16);

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.plot = figure.querySelector(".plot") ?? figure;
      this.label = this.plot.querySelector("svg")?.getAttribute("aria-label") ?? "";
      this.url = figure.dataset.chart;
    }

    async load() {
      if (this.loading) return;
      this.loading = true;
      try {
        const answer = await fetch(this.url, { headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        this.show(await answer.json());
      } catch (error) {
        // What the server drew stays; only its age is said.
        this.note(`not refreshed: ${error.message}`);
      } finally {
        this.loading = false;
      }
    }

    note(text) {
      this.said?.remove();
      this.said = undefined;
      if (!text) return;
      this.said = document.createElement("p");
      this.said.className = "note";
      this.said.textContent = text;
      this.plot.append(this.said);
    }

    show(model) {
      const shape = JSON.stringify([model.unit, (model.series ?? []).map((one) => one.name)]);
      this.model = model;
      this.note("");
      if (!model.data?.[0]?.length) { this.note("no data in this window"); return; }
      if (this.drawn && shape === this.shape) { this.drawn.setData(stacked(model)); return; }
      this.shape = shape;
      this.draw();
    }

    draw() {
      if (!this.model) return;
      const { plot, model } = this;
      this.drawn?.destroy();
      plot.querySelector(":scope > svg")?.remove();
      // From here on the script refreshes it, and a refresh of the page leaves it alone.
      plot.setAttribute("hx-morph-skip", "");
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", this.label);
      const show = format(model.unit);
      const [ink, grid] = [color("--ink-2"), color("--line")];
      const axis = { stroke: ink, font: `11px ${color("--sans")}`, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
      const limits = (model.thresholds ?? []).map((limit) => limit.value);
      const series = (model.series ?? []).map((one, index) => {
        const stroke = color(one.tone ? `--${one.tone}` : `--series-${(index % 6) + 1}`);
        const fill = model.fill ? stroke + Math.round(model.fill * 255).toString(16).padStart(2, "0") : undefined;
        return { label: one.name, stroke, fill, width: 1.5, dash: one.dashed ? [4, 3] : undefined, points: { show: false }, spanGaps: false };
      });
      // Each area from the line below it, not from zero.
      const bands = model.stacked ? series.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : undefined;
      const options = {
        width: Math.max(plot.clientWidth, 120), height: Math.max(plot.clientHeight, 80), padding: [8, 8, 0, 0],
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
        legend: { show: false },
        cursor: { sync: { key: "page", setSeries: false }, points: { size: 6 }, drag: { x: false, y: false } },
        scales: {
          x: { range: (_, low, high) => this.model.span ?? [low, high] },
          y: { range: (_, low, high) => this.model.range ?? range(low, high, limits) },
        },
        bands,
        axes: [
          { ...axis, size: 24, values: (_, splits, __, ___, step) => splits.map((at) => clock(at, step < 60)) },
          { ...axis, size: 60, values: (_, splits) => splits.map(show) },
        ],
        series: [{}, ...series],
        hooks: { draw: [(u) => this.annotate(u)], setCursor: [(u) => this.tell(u, show)] },
      };
      this.drawn = new uPlot(options, stacked(model), plot);
      this.tip = document.createElement("div");
      this.tip.className = "tip";
      this.tip.hidden = true;
      this.drawn.over.append(this.tip);
      this.drawn.over.addEventListener("click", () => { if (this.near?.url) location.href = this.near.url; });
      this.sized ??= new ResizeObserver(() => this.drawn?.setSize({ width: Math.max(plot.clientWidth, 120), height: Math.max(plot.clientHeight, 80) }));
      this.sized.observe(plot);
    }

    // Limits, what happened, and requests that can be looked at.
    annotate(u) {
      const { ctx } = u;
      const { left, top, width, height } = u.bbox;
      const dpr = devicePixelRatio;
      ctx.save();
      ctx.beginPath(); ctx.rect(left, top, width, height); ctx.clip();
      ctx.lineWidth = dpr;
      ctx.setLineDash([4 * dpr, 3 * dpr]);
      for (const limit of this.model.thresholds ?? []) {
        const y = u.valToPos(limit.value, "y", true);
        ctx.strokeStyle = color(`--${limit.tone ?? "bad"}`);
        ctx.beginPath(); ctx.moveTo(left, y); ctx.lineTo(left + width, y); ctx.stroke();
      }
      for (const mark of this.model.marks ?? []) {
        ctx.strokeStyle = color(`--${mark.tone ?? "info"}`);
        const x = u.valToPos(mark.at, "x", true);
        ctx.beginPath(); ctx.moveTo(x, top); ctx.lineTo(x, top + height); ctx.stroke();
      }
      ctx.setLineDash([]);
      ctx.fillStyle = color("--series-4");
      for (const exemplar of this.model.exemplars ?? []) {
        const [x, y, r] = [u.valToPos(exemplar.at, "x", true), u.valToPos(exemplar.value, "y", true), 3 * dpr];
        ctx.beginPath(); ctx.moveTo(x, y - r); ctx.lineTo(x + r, y); ctx.lineTo(x, y + r); ctx.lineTo(x - r, y); ctx.fill();
      }
      ctx.restore();
    }

    // What is under the cursor: values of all series, and what happened there.
    tell(u, show) {
      const { left, top, idx } = u.cursor;
      this.near = undefined;
      if (idx == null || left == null || left < 0) { this.tip.hidden = true; return; }
      const close = (thing, reach) => Math.abs(u.valToPos(thing.at, "x") - left) <= reach
        && (thing.value === undefined || Math.abs(u.valToPos(thing.value, "y") - top) <= reach);
      this.near = (this.model.exemplars ?? []).find((one) => close(one, 8)) ?? (this.model.marks ?? []).find((one) => close(one, 5));
      const lines = [`${clock(u.data[0][idx], true)} UTC`];
      const rows = (this.model.series ?? []).map((one, index) => [one.name, this.model.data[index + 1]?.[idx]]).filter((row) => row[1] != null);
      rows.sort((one, other) => other[1] - one[1]);
      for (const [name, value] of rows.slice(0, 12)) lines.push(`${show(value)}  ${name}`);
      if (rows.length > 12) lines.push(`${rows.length - 12} more`);
      if (this.near) lines.push(this.near.text ?? `a request: ${show(this.near.value)}, click for its trace`);
      this.tip.textContent = lines.join("\n");
      this.tip.hidden = false;
      this.tip.classList.toggle("left", left > u.over.clientWidth / 2);
      u.over.style.cursor = this.near?.url ? "pointer" : "";
    }
  }

  // Each series on top of those before it; a gap adds nothing.
  function stacked(model) {
    if (!model.stacked) return model.data;
    const [times, ...columns] = model.data;
    const sums = times.map(() => 0);
    return [times, ...columns.map((column) => column.map((value, at) => (value == null ? null : (sums[at] += value))))];
  }

  function range(low, high, limits) {
    const values = [low, high, ...limits].filter((value) => value != null && Number.isFinite(value));
    if (!values.length) return [0, 1];
    let [least, most] = [Math.min(...values), Math.max(...values)];
    if (least > 0 && least < most * 0.9) least = 0;
    if (least === most) { least -= Math.abs(least) * 0.05 || 0.5; most += Math.abs(most) * 0.05 || 0.5; }
    return [least, most + (most - least) * 0.05];
  }

  const charts = {
    known: new Map(),
    seen: new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const chart = charts.known.get(entry.target);
        if (chart) { chart.visible = entry.isIntersecting; if (chart.visible) chart.load(); }
      }
    }, { rootMargin: "200px" }),
    find() {
      for (const figure of this.known.keys()) if (!figure.isConnected) { this.seen.unobserve(figure); this.known.delete(figure); }
      for (const figure of all("figure[data-chart]")) {
        const chart = this.known.get(figure);
        if (chart) { chart.url = figure.dataset.chart; continue; }
        this.known.set(figure, new Chart(figure));
        this.seen.observe(figure);
      }
    },
    refresh() { this.find(); for (const chart of this.known.values()) if (chart.visible) chart.load(); },
    redraw() { for (const chart of this.known.values()) chart.draw(); },
  };

  // -- Begin ------------------------------------------------------------------------------------------------------------------------
  for (const button of all("[data-theme-toggle]")) { button.hidden = false; button.addEventListener("click", toggleTheme); }
  for (const button of all("[data-keys]")) { button.hidden = false; button.addEventListener("click", () => keys?.showModal()); }
  document.getElementById("error")?.focus();
  if (window.uPlot) charts.find();
  listen();
})();

"use strict";
// Behaviour of the flamegraph: zoom, search, colours, details, fitting the window's width. What is shown, zoomed
// frame, search and colours, is kept in the address's fragment (#zoom=12&search=json&colour=state), so that it
// survives a reload, can be linked to, and "back" undoes it. Without this script the SVG is a static picture.
(() => {
  const kMargin = 10;       // pixels left and right of the frames
  const kColumnWidth = 7.3; // pixels of a monospace character
  const svg = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const view = byId("frames"), details = byId("details"), shares = byId("shares"), header = byId("header");
  const search = byId("search"), matched = byId("matched"), reset = byId("reset");
  const legend = byId("legend"), byStateButton = byId("by_state");

  // What threads did, by name: {colour, says}.
  const states = new Map([...legend.querySelectorAll("span")].map((item) =>
    [item.textContent, {colour: item.dataset.colour, says: item.title}]));

  // "gil_wait:41 running:20" as [["gil_wait", 41], ["running", 20]]
  const parseMix = (text) => text.split(" ").filter(Boolean).map((part) => {
    const [state, count] = part.split(":");
    return [state, Number(count)];
  });
  // "41% waits for a lock, 30% runs Python": the most first, without what is below 1%.
  const describe = (mix, all) => [...mix].sort((a, b) => b[1] - a[1])
    .filter(([, count]) => 100 * count >= all)
    .map(([state, count]) => `${Math.round(100 * count / all)}% ${states.get(state).says}`).join(", ");

  // In the order of the file: a caller before what it calls, siblings from left to right.
  const frames = [...view.querySelectorAll("g")].map((group, index) => {
    const title = group.querySelector("title").textContent;
    const label = title.slice(0, title.lastIndexOf(" ("));
    const mix = parseMix(group.dataset.m), count = Number(group.dataset.n);
    const rect = group.querySelector("rect");
    return {
      group, index, title, label, rect, mix, count,
      fill: rect.getAttribute("fill"),
      shares: describe(mix, count),
      drawn: group.dataset.t ?? label, // without the file's directories
      text: group.querySelector("text"),
      start: Number(group.dataset.s),
      depth: Number(group.dataset.d),
    };
  });
  const byGroup = new Map(frames.map((frame) => [frame.group, frame]));
  const headings = [...header.querySelectorAll("text.fit")].map((text) => ({text, full: text.textContent}));
  let zoomed = frames[0];
  let query = "";
  let byState = false;

  const end = (frame) => frame.start + frame.count;
  const isAncestor = (frame) =>
    frame.depth < zoomed.depth && frame.start <= zoomed.start && end(frame) >= end(zoomed);
  const isInside = (frame) =>
    frame.depth >= zoomed.depth && frame.start >= zoomed.start && end(frame) <= end(zoomed);

  // The same rule as CutToColumns() in text.cc, which made the static picture.
  const columnsOf = (character) => /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(character) ? 2 : 1;
  function cut(label, columns) {
    const characters = [...label];
    const widths = characters.map(columnsOf);
    if (widths.reduce((sum, width) => sum + width, 0) <= columns) return label;
    let used = 2, taken = 0;
    while (taken < characters.length && used + widths[taken] <= columns) used += widths[taken++];
    return taken > 0 ? characters.slice(0, taken).join("") + ".." : "";
  }

  function place(frame, width) {
    const ancestor = isAncestor(frame);
    const visible = ancestor || isInside(frame);
    frame.group.style.display = visible ? "" : "none";
    if (!visible) return;
    frame.group.classList.toggle("ancestor", ancestor);
    const whole = ancestor || frame === zoomed;
    const left = whole ? 0 : (frame.start - zoomed.start) / zoomed.count;
    const share = whole ? 1 : frame.count / zoomed.count;
    frame.rect.setAttribute("x", 100 * left + "%");
    frame.rect.setAttribute("width", 100 * share + "%");
    frame.text.setAttribute("x", 100 * left + "%");
    const columns = Math.floor((share * width - 6) / kColumnWidth);
    frame.text.textContent = columns < 3 ? "" : cut(frame.drawn, columns);
  }

  // A fill of several states side by side, as wide as their shares.
  const mixtures = new Map();
  function mixture({mix, count}) {
    let stops = "", samples = 0, percent = 0;
    for (const [state, part] of mix) {
      samples += part;
      const end = Math.round(100 * samples / count);
      for (const offset of [percent, end]) {
        if (end > percent) stops += `<stop offset="${offset}%" stop-color="${states.get(state).colour}"/>`;
      }
      percent = end;
    }
    if (!mixtures.has(stops)) {
      const gradient = document.createElementNS(svg.namespaceURI, "linearGradient");
      gradient.id = `mixture${mixtures.size}`;
      gradient.innerHTML = stops;
      view.append(gradient);
      mixtures.set(stops, `url(#${gradient.id})`);
    }
    return mixtures.get(stops);
  }

  const stateFill = (frame) => frame.mix.length > 1 ? mixture(frame) : states.get(frame.mix[0]?.[0])?.colour ?? frame.fill;
  function colour(wanted) {
    if (wanted === byState) return;
    byState = wanted;
    for (const frame of frames) frame.rect.setAttribute("fill", byState ? stateFill(frame) : frame.fill);
    byStateButton.setAttribute("aria-pressed", byState);
  }

  const kPanelHeight = 28; // of the controls, without the legend
  const framesY = Number(view.getAttribute("y")), height = Number(svg.getAttribute("height"));
  // The legend needs more lines in a narrow window; what is below it moves down.
  function makeRoom(width) {
    byId("panel").setAttribute("width", width);
    legend.style.display = byState ? "flex" : "none";
    const more = legend.offsetHeight;
    byId("panel").setAttribute("height", kPanelHeight + more);
    byId("below").setAttribute("transform", `translate(0,${more})`);
    header.querySelector("rect").setAttribute("height", framesY + more);
    view.setAttribute("y", framesY + more);
    svg.setAttribute("height", height + more);
  }

  function layOut() {
    const width = Math.max(svg.getBoundingClientRect().width - 2 * kMargin, 50);
    view.setAttribute("width", width);
    makeRoom(width);
    for (const frame of frames) place(frame, width);
    for (const {text, full} of headings) {
      text.textContent = full;
      for (let keep = full.length; keep > 0 && text.getComputedTextLength() > width;) {
        keep = Math.min(keep - 1, Math.floor((keep * width) / text.getComputedTextLength()));
        text.textContent = full.slice(0, keep) + "\u2026";
      }
    }
    reset.disabled = zoomed === frames[0];
  }

  // Marks the frames that match the query and says how many of all samples are in one of them.
  function mark() {
    let pattern = null;
    try {
      if (query) pattern = new RegExp(query, "iu");
    } catch {
      matched.textContent = "not a regular expression";
    }
    let samples = 0, counted = 0;
    for (const frame of frames) {
      const matches = pattern !== null && frame.depth > 0 && pattern.test(frame.label);
      frame.group.classList.toggle("match", matches);
      // Frames below a counted one lie inside of it and count no more.
      if (matches && frame.start >= counted) {
        samples += frame.count;
        counted = end(frame);
      }
    }
    if (pattern) {
      const percent = (100 * samples / (frames[0].count || 1)).toFixed(2);
      matched.textContent = `matched ${percent}% of all (${samples.toLocaleString("en")} samples)`;
    } else if (!query) {
      matched.textContent = "";
    }
  }

  function readState() {
    const state = new URLSearchParams(location.hash.slice(1));
    zoomed = frames[Number(state.get("zoom"))] ?? frames[0];
    query = state.get("search") ?? "";
    colour(state.get("colour") === "state");
    if (search.value !== query) search.value = query;
    layOut();
    mark();
  }
  function writeState(zoom, text, colourByState = byState) {
    const state = new URLSearchParams();
    if (zoom.index > 0) state.set("zoom", zoom.index);
    if (text) state.set("search", text);
    if (colourByState) state.set("colour", "state");
    location.hash = state.toString();
    readState();
  }

  const frameOf = (event) => byGroup.get(event.target.closest("#frames g"));
  const show = (event) => {
    details.textContent = frameOf(event)?.title ?? "";
    shares.textContent = frameOf(event)?.shares ?? "";
  };
  const zoomTo = (event) => { if (frameOf(event)) writeState(frameOf(event), query); };

  function onKey(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "f") {
      search.focus();
      search.select();
    } else if (event.key === "Escape") {
      if (query || search.value) writeState(zoomed, "");
      else writeState(frames[0], "");
    } else if (event.key === "Enter" && event.target === search) {
      writeState(zoomed, search.value);
    } else if (event.key === "Enter" && event.target.closest("#frames g")) {
      zoomTo(event);
    } else {
      return;
    }
    event.preventDefault();
  }

  svg.removeAttribute("viewBox");
  svg.setAttribute("width", "100%");
  byId("panel").style.display = "block";
  for (const {group, title, shares} of frames) {
    group.setAttribute("tabindex", "0");
    if (shares) group.querySelector("title").textContent = `${title}\n${shares}`;
  }
  view.addEventListener("click", zoomTo);
  for (const event of ["mouseover", "mouseout", "focusin"]) view.addEventListener(event, show);
  document.addEventListener("keydown", onKey);
  search.addEventListener("input", () => { query = search.value; mark(); });
  search.addEventListener("change", () => writeState(zoomed, search.value));
  byId("find").addEventListener("click", () => { writeState(zoomed, search.value); search.focus(); });
  reset.addEventListener("click", () => writeState(frames[0], query));
  byStateButton.addEventListener("click", () => writeState(zoomed, query, !byState));
  window.addEventListener("hashchange", readState);
  window.addEventListener("resize", layOut);
  // The heading stays in sight in a deep graph.
  window.addEventListener("scroll", () => header.setAttribute("transform", `translate(0,${window.scrollY})`));
  readState();
})();

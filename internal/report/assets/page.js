"use strict";
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const all = (selector, of = document) => [...of.querySelectorAll(selector)];
  root.classList.add("js");

  const list = $("list"), panel = $("panel"), find = $("find");
  const events = all(".e", list);
  const narrow = matchMedia("(max-width: 900px)");
  let chosen = null;

  /* Light and dark. */
  const stored = (value) => {
    try {
      if (value) localStorage.setItem("kit-theme", value);
      return localStorage.getItem("kit-theme");
    } catch { return null; } // a page from a file may have no storage
  };
  const setTheme = (theme) => { if (theme) root.dataset.theme = theme; };
  setTheme(stored());
  const turnTheme = () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" :
      matchMedia("(prefers-color-scheme: dark)").matches;
    setTheme(dark ? "light" : "dark");
    stored(root.dataset.theme);
  };

  /* Views. */
  const views = all(".view"), tabs = all("nav ol a");
  const show = (name) => {
    views.forEach((v) => v.classList.toggle("current", v.id === name));
    tabs.forEach((a) => {
      if (a.hash === "#" + name) a.setAttribute("aria-current", "page");
      else a.removeAttribute("aria-current");
    });
    const view = $(name);
    root.classList.toggle("pictured", !!view && !!view.querySelector("figure[data-moment]"));
  };

  /* The moment that the pictures are of. */
  const moments = all(".moments button");
  const setMoment = (moment) => {
    moments.forEach((b) => b.setAttribute("aria-pressed", b.dataset.moment === moment));
    all("figure[data-moment]").forEach((f) =>
      f.classList.toggle("shown", moments.length === 0 || f.dataset.moment === moment));
  };
  const pressed = () => moments.findIndex((b) => b.getAttribute("aria-pressed") === "true");
  const moveMoment = (by) => {
    const to = moments[pressed() + by];
    if (to && root.classList.contains("pictured")) setMoment(to.dataset.moment);
  };

  /* Filters. */
  const ticked = (name) =>
    new Set(all(`input[name=${name}]:checked`).map((i) => i.value));
  const classOf = (e) =>
    ["lesson", "bookkeeping", "runtime", "command"].find((c) => e.classList.contains(c));
  const texts = new Map();
  const textOf = (e) => {
    if (!texts.has(e)) {
      const st = e.closest(".st");
      texts.set(e, [".at", ".why"].map((s) => st.querySelector(":scope > " + s)?.textContent ?? "")
        .concat(e.textContent).join(" ").toLowerCase());
    }
    return texts.get(e);
  };
  const filter = () => {
    const step = ticked("step"), side = ticked("side"), kinds = ticked("class");
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const changed = $("changed").checked, again = $("again").checked;
    let n = 0;
    for (const e of events) {
      const on = kinds.has(classOf(e)) && step.has(e.closest(".sec").dataset.step) &&
        (!e.classList.contains("parent") && !e.classList.contains("child") ||
          side.has(e.classList.contains("child") ? "child" : "parent")) &&
        (!changed || e.classList.contains("ch")) &&
        (again || words.length > 0 || !e.classList.contains("again")) &&
        words.every((w) => textOf(e).includes(w));
      e.hidden = !on;
      if (on) n += e.classList.contains("runtime") ? e.querySelectorAll("code").length : 1;
    }
    all(".st", list).forEach((st) => {
      st.hidden = !st.querySelector(".e:not([hidden]), .note");
    });
    all(".sec", list).forEach((s) => { s.hidden = !s.querySelector(".st:not([hidden])"); });
    list.querySelector(".none").hidden = n > 0;
    $("shown").value = n === 1 ? "1 call" : n + " calls";
  };

  /* The chosen event. */
  const el = (tag, cls, ...inside) => {
    const e = document.createElement(tag);
    if (cls) e.className = cls;
    e.append(...inside);
    return e;
  };
  const copies = (selector, of) => all(":scope > " + selector, of).map((e) => e.cloneNode(true));
  const excerpt = (anchor) => {
    const [file, line] = anchor.split("-");
    const article = $(file);
    if (!article) return null;
    const ran = new Set(all(".code b", article).map((b) => +b.id.split("-")[1]));
    const box = el("div", "excerpt");
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Source of " + article.dataset.path);
    const lines = article.querySelector(".code").textContent.replace(/\n$/, "").split("\n");
    lines.forEach((text, i) => {
      const row = el("div", /^\s*\/\//.test(text) ? "rem" : "", el("span", "", String(i + 1)), text || " ");
      if (i + 1 === +line) row.className = "exec";
      else if (ran.has(i + 1)) row.className += " ran";
      box.append(row);
    });
    return box;
  };
  const describe = (e) => {
    const st = e.closest(".st"), sec = e.closest(".sec");
    const side = e.classList.contains("child") ? "child" : "parent";
    panel.replaceChildren();
    const head = el("p", "head", el("b", side, "#" + e.id.slice(1)),
      sec.querySelector("h3").textContent.replace(/\s+/g, " "));
    if (e.dataset.t) head.append(el("span", "", (e.dataset.t / 1000).toFixed(1) + " ms"));
    panel.append(head);
    const at = copies(".at", st)[0];
    let source = null;
    if (at) {
      const link = at.querySelector("a");
      source = link && excerpt(link.hash.slice(1));
      if (source) at.querySelector("code").remove();
      panel.append(at);
    }
    if (source) panel.append(source);
    panel.append(...copies(".why", st));
    const call = el("div", "call", ...copies("code", e));
    if (e.classList.contains("err")) call.classList.add("err");
    if (e.classList.contains("inj")) call.classList.add("inj");
    panel.append(call);
    panel.append(...copies(".d", e));
    if (source) {
      const row = source.querySelector(".exec");
      if (row) source.scrollTop = row.offsetTop - source.clientHeight / 2;
    }
  };
  const choose = (e, move = true) => {
    if (!e) return;
    if (chosen) {
      chosen.classList.remove("now");
      chosen.removeAttribute("aria-current");
    }
    chosen = e;
    e.classList.add("now");
    e.setAttribute("aria-current", "true");
    show("timeline");
    if (narrow.matches) e.after(panel);
    else list.after(panel);
    if (e.classList.contains("runtime")) panel.replaceChildren(...copies("code", e));
    else describe(e);
    panel.scrollTop = 0;
    if (e.id) history.replaceState(null, "", "#" + e.id);
    if (move) e.scrollIntoView({ block: narrow.matches ? "start" : "nearest" });
  };
  narrow.addEventListener("change", () => choose(chosen, false));
  const visible = () => events.filter((e) => !e.hidden && !e.classList.contains("runtime"));
  const step = (by) => {
    const shown = visible();
    let at = shown.indexOf(chosen);
    if (at < 0 && chosen) {
      at = shown.findIndex((e) => chosen.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING);
      if (at < 0) at = shown.length;
      if (by > 0) at--;
    }
    choose(shown[Math.min(Math.max(at + by, 0), shown.length - 1)]);
  };

  /* Addresses: #e17, #mounts, #s3-35. */
  const go = () => {
    const name = location.hash.slice(1);
    const target = name && $(name);
    const e = target && target.closest(".e");
    if (e) {
      const box = document.querySelector(`input[name=class][value=${classOf(e)}]`);
      if (box && !box.checked) { box.checked = true; filter(); }
      if (e.hidden) { reset(); }
      choose(e);
      return;
    }
    const view = target && target.closest(".view");
    show(view ? view.id : "timeline");
    if (view && view !== target) target.scrollIntoView({ block: "center" });
    else scrollTo(0, Math.min(scrollY, document.querySelector("nav").offsetTop));
  };
  const reset = () => {
    find.value = "";
    all("#controls input[type=checkbox]").forEach((i) => { i.checked = i.name !== ""; });
    $("again").checked = true;
    filter();
  };

  /* Keys and clicks. */
  const keys = {
    j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
    g: () => choose(visible()[0]), G: () => choose(visible().at(-1)),
    "/": () => { show("timeline"); find.focus(); find.select(); },
    c: () => { $("changed").click(); }, t: turnTheme,
    "?": () => $("help").showModal(),
    "[": () => moveMoment(-1), "]": () => moveMoment(1),
  };
  addEventListener("keydown", (k) => {
    if (k.ctrlKey || k.metaKey || k.altKey || $("help").open) return;
    if (k.target === find) {
      if (k.key === "Escape" || k.key === "Enter") {
        find.blur();
        if (k.key === "Enter") choose(visible()[0]);
        k.preventDefault();
      }
      return;
    }
    const arrows = k.key.startsWith("Arrow");
    if (arrows && (k.target.closest(".excerpt, .picture, .code, input") || !$("timeline").classList.contains("current"))) return;
    const tab = tabs[k.key - 1];
    if (!keys[k.key] && !tab) return;
    k.preventDefault();
    if (tab) location.hash = tab.hash;
    else keys[k.key]();
  });
  list.addEventListener("click", (c) => {
    const e = c.target.closest(".e");
    if (!e || c.target.closest(".panel") || String(getSelection())) return;
    c.preventDefault();
    choose(e, false);
  });
  $("controls").addEventListener("input", filter);
  $("controls").addEventListener("submit", (s) => s.preventDefault());
  $("theme").addEventListener("click", turnTheme);
  $("ask").addEventListener("click", keys["?"]);
  moments.forEach((b) => b.addEventListener("click", () => setMoment(b.dataset.moment)));
  addEventListener("hashchange", go);

  filter();
  setMoment(moments[pressed()]?.dataset.moment);
  go();
  if (!chosen && $("timeline").classList.contains("current") && !narrow.matches) {
    choose(visible().find((e) => e.classList.contains("ch")) ?? visible()[0], false);
    history.replaceState(null, "", location.pathname);
  }
})();

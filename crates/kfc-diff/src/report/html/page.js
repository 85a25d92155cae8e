(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const search = one("#search");
  const status = one("#status");
  const picks = all("aside input[type=checkbox]");
  const help = one("#help");

  // One entry a resource; texts are read when somebody searches for the first time.
  const resources = all(".res").map((element) => ({
    element,
    group: element.closest(".group"),
    component: element.dataset.c,
    change: element.dataset.m,
    head: null,
    rows: all("[data-s]", element.querySelector(".body")).map((row) => ({ element: row, severity: row.dataset.s, classes: row.dataset.k.split(" "), text: null })),
  }));
  const rowCount = resources.reduce((sum, resource) => sum + resource.rows.length, 0);
  const textOf = (element) => element.textContent.toLowerCase();
  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

  const chosen = (name) => new Set(picks.filter((pick) => pick.name === name && pick.checked).map((pick) => pick.value));
  const allows = (set, values) => set.size === 0 || values.some((value) => set.has(value));

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [severities, classes, components, changes] = ["severity", "class", "component", "change"].map(chosen);
    const narrowed = words.length + severities.size + classes.size + components.size + changes.size > 0;
    const groups = new Map();
    let shown = 0;
    let rows = 0;
    for (const resource of resources) {
      let visible = allows(components, [resource.component]) && allows(changes, [resource.change]);
      let matching = 0;
      let missing = words;
      if (visible && words.length) {
        resource.head ??= `${textOf(resource.element.querySelector("summary"))} ${resource.component.toLowerCase()}`;
        missing = words.filter((word) => !resource.head.includes(word));
      }
      for (const row of resource.rows) {
        let hit = visible && allows(severities, [row.severity]) && allows(classes, row.classes);
        if (hit && missing.length) {
          row.text ??= textOf(row.element);
          hit = missing.every((word) => row.text.includes(word));
        }
        row.element.hidden = !hit;
        matching += hit;
      }
      visible &&= matching > 0;
      resource.element.hidden = !visible;
      shown += visible;
      rows += matching;
      groups.set(resource.group, (groups.get(resource.group) ?? 0) + visible);
    }
    for (const [group, count] of groups) group.hidden = count === 0;
    one("#empty").hidden = shown > 0 || resources.length === 0;
    one("#clear").hidden = !narrowed;
    status.textContent = narrowed
      ? `${shown.toLocaleString("en")} of ${plural(resources.length, "resource")}, ${rows.toLocaleString("en")} of ${plural(rowCount, "change")}`
      : `${plural(resources.length, "resource")}, ${plural(rowCount, "change")}`;
  }

  function clear() {
    search.value = "";
    for (const pick of picks) pick.checked = false;
    apply();
  }

  // The resource that an address within the page points at is opened and read out.
  function follow() {
    const name = location.hash.slice(1);
    if (name.startsWith("c-")) {
      const wanted = picks.find((pick) => pick.name === "component" && pick.dataset.anchor === name);
      if (wanted) {
        clear();
        wanted.checked = true;
        apply();
        one("#changes").scrollIntoView();
        status.focus({ preventScroll: true });
      }
      return;
    }
    const target = name && document.getElementById(name);
    if (target && target.classList.contains("res")) {
      if (target.hidden) clear();
      target.open = true;
      target.querySelector("summary").focus({ preventScroll: true });
      target.scrollIntoView({ block: "start" });
    }
  }

  function step(by) {
    const shown = resources.filter((resource) => !resource.element.hidden).map((resource) => resource.element.querySelector("summary"));
    if (!shown.length) return;
    const here = shown.findIndex((summary) => summary.parentElement.contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(here + by, 0), shown.length - 1);
    shown[next].focus({ preventScroll: true });
    shown[next].scrollIntoView({ block: "nearest" });
  }

  function toggleAll() {
    const shown = resources.filter((resource) => !resource.element.hidden);
    const open = shown.some((resource) => !resource.element.open);
    for (const resource of shown) resource.element.open = open;
    one("#all").textContent = open ? "Close all" : "Open all";
  }

  const themes = ["auto", "light", "dark"];
  function remembered() {
    try { return localStorage.getItem("kfc-theme"); } catch { return null; }
  }
  function setTheme(theme) {
    root.dataset.theme = theme;
    one("#theme").textContent = `Theme: ${theme}`;
    try { localStorage.setItem("kfc-theme", theme); } catch { /* A page from a file may have no storage. */ }
  }
  function nextTheme() {
    setTheme(themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length]);
  }

  const keys = {
    "/": () => { search.focus(); search.select(); },
    j: () => step(1),
    k: () => step(-1),
    e: toggleAll,
    t: nextTheme,
    c: clear,
    "?": () => help.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target === search) {
      if (event.key === "Escape") {
        search.value = "";
        apply();
        search.blur();
      }
      return;
    }
    const action = keys[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });

  let waiting = 0;
  search.addEventListener("input", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(apply);
  });
  for (const pick of picks) pick.addEventListener("change", apply);
  one("#clear").addEventListener("click", () => { clear(); search.focus(); });
  one("#all").addEventListener("click", toggleAll);
  one("#theme").addEventListener("click", nextTheme);
  one("#keys").addEventListener("click", () => help.showModal());
  addEventListener("hashchange", follow);
  // A link to the place that the address names already changes nothing, but is meant all the same.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) follow();
  });
  if (matchMedia("(max-width: 60rem)").matches) one("#filters").open = false;
  setTheme(themes.includes(remembered()) ? remembered() : "auto");
  apply();
  follow();
})();

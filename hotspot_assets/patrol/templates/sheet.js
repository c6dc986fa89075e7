"use strict";
(function () {
  const box = document.getElementById("map");
  const svg = box.querySelector("svg");
  const home = svg.viewBox.baseVal;
  const start = [home.x, home.y, home.width, home.height];
  const classes = JSON.parse(document.getElementById("classes").textContent);
  const scale = document.getElementById("scale");
  const said = document.getElementById("said");
  let view = start.slice();

  function show() {
    svg.setAttribute("viewBox", view.join(" "));
    const step = Math.max(view[2], view[3]) / 30;
    const power = Math.pow(10, Math.floor(Math.log10(view[2] / 4)));
    const metres = Math.max(...[1, 2, 5].map((each) => each * power).filter((each) => each <= view[2] / 4));
    scale.setAttribute("transform", "translate(" + (view[0] + step) + " " + (view[1] + view[3] - step) + ")");
    scale.querySelector(".casing").setAttribute("d", "M0 0h" + metres);
    const bar = scale.querySelector(".bar");
    bar.setAttribute("d", "M0 " + -step / 3 + "V0h" + metres + "v" + -step / 3);
    const words = scale.querySelector("text");
    words.setAttribute("x", metres / 2);
    words.setAttribute("y", -step / 2);
    words.setAttribute("font-size", step * 0.9);
    words.setAttribute("stroke-width", step / 5);
    words.textContent = metres >= 1000 ? metres / 1000 + " km" : metres + " m";
  }
  function zoom(factor, x, y) {
    const width = Math.min(start[2] * 2, Math.max(start[2] / 20, view[2] * factor));
    const real = width / view[2];
    view = [x - (x - view[0]) * real, y - (y - view[1]) * real, width, view[3] * real];
    show();
  }
  function middle() { return [view[0] + view[2] / 2, view[1] + view[3] / 2]; }
  function pan(dx, dy) { view[0] += dx * view[2]; view[1] += dy * view[3]; show(); }
  function reset() { view = start.slice(); show(); }

  const keys = {
    "+": () => zoom(0.8, ...middle()), "=": () => zoom(0.8, ...middle()), "-": () => zoom(1.25, ...middle()),
    "0": reset, ArrowLeft: () => pan(-0.1, 0), ArrowRight: () => pan(0.1, 0),
    ArrowUp: () => pan(0, -0.1), ArrowDown: () => pan(0, 0.1),
  };
  box.addEventListener("keydown", (event) => {
    if (event.target === box && keys[event.key]) { keys[event.key](); event.preventDefault(); }
  });
  document.querySelectorAll("[data-key]").forEach((button) =>
    button.addEventListener("click", () => keys[button.dataset.key]()));
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    zoom(event.deltaY < 0 ? 0.85 : 1 / 0.85, point.x, point.y);
  }, { passive: false });
  let grip = null;
  svg.addEventListener("pointerdown", (event) => { grip = [event.clientX, event.clientY]; svg.setPointerCapture(event.pointerId); });
  svg.addEventListener("pointermove", (event) => {
    if (grip) {
      const scale = Math.max(view[2] / svg.clientWidth, view[3] / svg.clientHeight);
      view[0] -= (event.clientX - grip[0]) * scale;
      view[1] -= (event.clientY - grip[1]) * scale;
      grip = [event.clientX, event.clientY];
      show();
      return;
    }
    const hex = event.target.closest ? event.target.closest(".hex") : null;
    said.textContent = hex ? "Cell " + hex.dataset.cell + ": " + classes[hex.dataset.now].label : "";
  });
  ["pointerup", "pointercancel"].forEach((name) => svg.addEventListener(name, () => { grip = null; }));

  const choice = document.getElementById("group");
  function paint() {
    const at = Number(choice.value);
    svg.querySelectorAll(".hex").forEach((hex) => {
      hex.dataset.now = hex.dataset.classes[at];
      hex.setAttribute("fill", classes[hex.dataset.now].colour);
    });
  }
  choice.addEventListener("change", paint);

  document.querySelectorAll("tr[data-area]").forEach((row) => {
    const area = [...svg.querySelectorAll(".area")].find((each) => each.dataset.area === row.dataset.area);
    const mark = (on) => () => area && area.classList.toggle("on", on);
    row.addEventListener("mouseenter", mark(true));
    row.addEventListener("mouseleave", mark(false));
    row.addEventListener("focusin", mark(true));
    row.addEventListener("focusout", mark(false));
  });

  const expires = document.body.dataset.expires;
  if (expires && Date.now() >= Date.parse(expires)) {
    document.getElementById("expired").hidden = false;
    document.querySelector(".status").textContent = "EXPIRED";
    document.querySelector(".status").classList.add("bad");
  }
  paint();
  show();
  window.addEventListener("resize", show);
  window.addEventListener("beforeprint", () => { reset(); });
})();

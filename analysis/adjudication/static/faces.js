// Enlarges all faces of a case together and moves them together, by slider, pointer or arrow keys, so that the same
// part of each stands side by side.

const level = document.getElementById("zoom-level");
const faces = [...document.querySelectorAll(".face:not(.no-face)")];

if (level && faces.length) {
  const view = { zoom: 1, x: 0, y: 0 }; // the shift is in shares of a face's frame

  function show() {
    const reach = (view.zoom - 1) / 2;
    view.x = Math.min(Math.max(view.x, -reach), reach);
    view.y = Math.min(Math.max(view.y, -reach), reach);
    for (const face of faces) {
      face.classList.toggle("enlarged", view.zoom > 1);
      face.firstElementChild.style.transform =
        `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.zoom})`;
    }
  }

  document.getElementById("zoom").hidden = false;
  level.addEventListener("input", () => {
    view.zoom = Number(level.value);
    show();
  });

  const steps = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
  for (const face of faces) {
    face.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step || view.zoom === 1) return;
      event.preventDefault();
      view.x += step[0];
      view.y += step[1];
      show();
    });
    face.addEventListener("pointerdown", (event) => {
      if (view.zoom > 1) face.setPointerCapture(event.pointerId);
    });
    face.addEventListener("pointermove", (event) => {
      if (!face.hasPointerCapture(event.pointerId)) return;
      view.x += event.movementX / face.clientWidth;
      view.y += event.movementY / face.clientHeight;
      show();
    });
  }
}

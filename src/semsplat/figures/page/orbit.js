"use strict";
// Where the scene is looked at from: around a point, by mouse, touch and keys.

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const scaled = (a, s) => a.map((v) => v * s);
const plus = (a, b) => a.map((v, i) => v + b[i]);
const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0],
];
const unit = (a) => scaled(a, 1 / (Math.hypot(...a) || 1));
const NEAREST = 0.05, REACH = 0.85; // of the distance from which one begins
const STEEPEST = 1.5, TURN = 0.12, PER_PIXEL = 0.006;

class Orbit {
  constructor(canvas, scene, changed) {
    this.up = unit(scene.up);
    this.east = unit(cross(this.up, Math.abs(this.up[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0]));
    this.north = cross(this.up, this.east);
    this.changed = changed;
    this.fingers = new Map();
    this.start = scene.cameras[0];
    this.go(this.start);
    this._listen(canvas);
  }

  // Begins at a camera of the scene: its eye, looking its way.
  go(camera) {
    const m = camera.viewmat, rows = [0, 4, 8].map((i) => m.slice(i, i + 3));
    const eye = [0, 1, 2].map((k) => -(rows[0][k] * m[3] + rows[1][k] * m[7] + rows[2][k] * m[11]));
    const back = scaled(rows[2], -1);
    this.start = camera;
    this.distance = camera.distance;
    this.target = plus(eye, scaled(rows[2], camera.distance));
    this.pitch = Math.asin(Math.max(-1, Math.min(1, dot(back, this.up))));
    this.yaw = Math.atan2(dot(back, this.north), dot(back, this.east));
    this.changed();
  }

  // The axes of the camera: right, down and forward (OpenCV's).
  axes() {
    const flat = plus(scaled(this.east, Math.cos(this.yaw)), scaled(this.north, Math.sin(this.yaw)));
    const back = plus(scaled(flat, Math.cos(this.pitch)), scaled(this.up, Math.sin(this.pitch)));
    const forward = scaled(back, -1), right = unit(cross(forward, this.up));
    return [right, cross(forward, right), forward];
  }

  // World to camera, column by column.
  view() {
    const axes = this.axes(), eye = plus(this.target, scaled(axes[2], -this.distance));
    const columns = [0, 1, 2].flatMap((k) => [axes[0][k], axes[1][k], axes[2][k], 0]);
    return new Float32Array([...columns, ...axes.map((axis) => -dot(axis, eye)), 1]);
  }

  // What is nearer is cut away: who goes outside looks into the room, not at the backs of its walls.
  near() {
    return Math.max(NEAREST, this.distance - REACH * this.start.distance);
  }

  turn(yaw, pitch) {
    this.yaw += yaw;
    this.pitch = Math.max(-STEEPEST, Math.min(STEEPEST, this.pitch + pitch));
    this.changed();
  }

  zoom(factor) {
    this.distance = Math.max(0.02, this.distance * factor);
    this.changed();
  }

  shift(right, down) {
    const axes = this.axes();
    this.target = plus(this.target, plus(scaled(axes[0], right * this.distance), scaled(axes[1], down * this.distance)));
    this.changed();
  }

  _listen(canvas) {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, event);
    });
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    canvas.addEventListener("pointermove", (event) => this._dragged(event, canvas.clientHeight));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas && !event.ctrlKey) return; // the page scrolls on
      event.preventDefault();
      this.zoom(Math.exp(0.001 * event.deltaY));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this._pressed(event));
  }

  _dragged(event, height) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    const other = [...this.fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      const apart = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      this.shift(-dx / 2 / height, -dy / 2 / height);
      this.zoom((apart(before) || 1) / (apart(event) || 1));
    } else if (event.shiftKey || event.buttons === 2) this.shift(-dx / height, -dy / height);
    else this.turn(PER_PIXEL * -dx, PER_PIXEL * dy);
    this.fingers.set(event.pointerId, event);
  }

  _pressed(event) {
    const turns = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key in turns && event.shiftKey) {
      const [right, up] = turns[event.key];
      this.shift(0.1 * right, -0.1 * up);
    } else if (event.key in turns) this.turn(...scaled(turns[event.key], TURN));
    else if (event.key === "+" || event.key === "=") this.zoom(0.9);
    else if (event.key === "-") this.zoom(1 / 0.9);
    else if (event.key === "Home") this.go(this.start);
    else return;
    event.preventDefault();
  }
}

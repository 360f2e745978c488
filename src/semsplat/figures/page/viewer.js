"use strict";
// The page's 3-D scene: what is shown left and right of the line, and its legend.

const SHARPEST = 2; // device pixels per pixel, at most
const EMPTY = [16, 20, 24];

function element(kind, words = {}, ...inside) {
  const made = Object.assign(document.createElement(kind), words);
  made.append(...inside);
  return made;
}

// One side's choice of a channel: buttons for what, lists for whose and what was asked.
class Chooser {
  constructor(box, channels, changed) {
    Object.assign(this, { channels, changed });
    this.buttons = element("div", { className: "choices" });
    this.whose = this._list("of");
    this.asked = this._list("asked for");
    for (const group of new Set(channels.map((channel) => channel.group))) {
      const button = element("button", { type: "button", textContent: group });
      button.dataset.group = group;
      button.addEventListener("click", () => this.choose(this._like({ group })));
      this.buttons.append(button);
    }
    box.append(this.buttons, element("div", { className: "choices" }, this.whose.parentElement, this.asked.parentElement));
  }

  _list(name) {
    const list = element("select");
    element("label", {}, `${name} `, list);
    list.addEventListener("change", () => this.choose(this._like({
      group: this.channel.group,
      whose: this.whose.value,
      ...(list === this.asked ? { asked: this.asked.value } : {}),
    })));
    return list;
  }

  // The channel that is most like the present one, of those that a wish allows.
  _like(wish) {
    const fits = this.channels.filter((c) => Object.keys(wish).every((key) => c[key] === wish[key]));
    const now = this.channel ?? {};
    const near = (c) => 2 * (c.whose === now.whose) + (c.asked === now.asked) + (c.model === now.model);
    return fits.reduce((best, c) => (near(c) > near(best) ? c : best));
  }

  find(wish) {
    this.choose(this._like(wish));
  }

  choose(channel) {
    this.channel = channel;
    for (const button of this.buttons.children)
      button.setAttribute("aria-pressed", String(button.dataset.group === channel.group));
    const group = this.channels.filter((c) => c.group === channel.group);
    this._fill(this.whose, group.map((c) => c.whose), channel.whose);
    const questions = group.filter((c) => c.whose === channel.whose).map((c) => c.asked);
    this._fill(this.asked, questions, channel.asked);
    this.changed();
  }

  _fill(list, values, chosen) {
    const names = [...new Set(values)];
    list.replaceChildren(...names.map((name) => element("option", { value: name, textContent: name })));
    list.value = chosen;
    list.parentElement.hidden = names.length < 2 && !chosen;
  }
}

class Viewer {
  constructor(box, scene, bytes) {
    Object.assign(this, { box, scene, bytes, textures: new Map() });
    this.canvas = box.querySelector("canvas");
    this.painter = new Painter(this.canvas);
    this.models = scene.models.map((model) => new Gaussians(model, bytes));
    this.line = box.querySelector("[data-line]");
    this.both = box.querySelector("[data-both]");
    const redraw = () => this.ask();
    this.orbit = new Orbit(this.canvas, scene, redraw);
    this.sides = [...box.querySelectorAll("[data-side]")].map(
      (place) => new Chooser(place, scene.channels, redraw),
    );
    this.sides[0].find({ group: "colours" });
    const shown = ["classes", "relevancy", "selected", "features", "colours"];
    const first = shown.find((group) => scene.channels.some((c) => c.group === group));
    this.sides[1].choose(scene.channels.filter((c) => c.group === first).at(-1));
    this.line.addEventListener("input", redraw);
    this.both.addEventListener("change", redraw);
    this._starts(box.querySelector("[data-starts]"));
    this._draggedLine(box.querySelector(".divider"));
    new ResizeObserver(redraw).observe(this.canvas);
  }

  _starts(box) {
    this.scene.cameras.forEach((camera, index) => {
      const button = element("button", { type: "button", textContent: `view ${index + 1}` });
      button.title = `the camera of ${camera.name}`;
      button.addEventListener("click", () => this.orbit.go(camera));
      box.append(button);
    });
  }

  _draggedLine(divider) {
    this.divider = divider;
    divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
    divider.addEventListener("pointermove", (event) => {
      if (!divider.hasPointerCapture(event.pointerId)) return;
      const { left, width } = this.canvas.getBoundingClientRect();
      this.line.value = (100 * (event.clientX - left)) / width;
      this.ask();
    });
  }

  // Draws with the next frame, once however much has changed.
  ask() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  draw() {
    const canvas = this.canvas, sharp = Math.min(devicePixelRatio || 1, SHARPEST);
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * sharp));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * sharp));
    const camera = this.orbit.start, two = this.both.checked, at = two ? this.line.value / 100 : 1;
    const frame = Math.min(canvas.height, canvas.width / camera.aspect);
    const panes = [this._pane(this.sides[0], 0, at)];
    if (two) panes.push(this._pane(this.sides[1], at, 1));
    const blur = LOW_PASS * (frame / this.scene.height) ** 2;
    const seen = { view: this.orbit.view(), near: this.orbit.near(), focal: camera.focal * frame, blur };
    this.painter.draw(panes, seen, EMPTY);
    this.divider.hidden = this.line.parentElement.hidden = !two;
    this.divider.style.left = `${100 * at}%`;
    this.box.querySelectorAll("[data-side]")[1].hidden = !two;
    this._tell(this.sides.slice(0, two ? 2 : 1).map((side) => side.channel));
    this.box.dataset.drawn = Number(this.box.dataset.drawn ?? 0) + 1;
  }

  _pane(side, from, to) {
    const { channel } = side, gaussians = this.models[channel.model];
    if (!this.textures.has(channel)) {
      const colours = coloursOf(channel, gaussians, this.scene.palettes, this.bytes);
      this.textures.set(channel, this.painter.texture(ACROSS, colours));
    }
    return { gaussians, colours: this.textures.get(channel), from, to };
  }

  // Says below the picture what its colours mean and of how many Gaussians it is.
  _tell(channels) {
    if (channels.every((channel, side) => channel === this.told?.[side])
      && channels.length === this.told?.length) return;
    this.told = channels;
    const told = channels.map((channel, side) => {
      const { count, of } = this.scene.models[channel.model];
      const place = channels.length < 2 ? "" : side ? "Right: " : "Left: ";
      const many = count === of ? `all ${of.toLocaleString("en")} Gaussians` : `the ${count.toLocaleString("en")} most visible of ${of.toLocaleString("en")} Gaussians`;
      const asked = channel.asked ? ` “${channel.asked}”` : "";
      const words = `${place}${channel.group}${asked} of ${channel.whose}; ${many}. ${channel.note}`;
      return element("div", {}, element("p", { textContent: words }), this._legend(channel));
    });
    this.box.querySelector("[data-told]").replaceChildren(...told);
  }

  _legend(channel) {
    const palette = this.scene.palettes[channel.kind], list = element("ul", { className: "legend" });
    const entry = (colour, name) => {
      const swatch = element("span", { className: "swatch" });
      swatch.style.background = colour;
      list.append(element("li", {}, swatch, name));
    };
    if (channel.kind === "selected") entry("rgb(90, 90, 90)", "not selected; what is selected has its colours");
    else if (palette?.names)
      palette.names.forEach((name, row) => entry(`rgb(${palette.colours[row].join()})`, name));
    else if (palette) {
      const bar = element("span", { className: "bar" });
      const stops = palette.colours.filter((_, row) => row % 15 === 0).map((c) => `rgb(${c.join()})`);
      bar.style.background = `linear-gradient(to right, ${stops.join()})`;
      list.append(element("li", {}, palette.low.toFixed(2), bar, `${palette.high.toFixed(2)}; 0.5: as similar to a canonical phrase`));
    }
    return list;
  }
}

async function openViewer() {
  const box = document.getElementById("viewer"), data = document.getElementById("viewer-data");
  if (!box) return;
  try {
    const scene = JSON.parse(data.textContent);
    window.viewer = new Viewer(box, scene, await unpacked(scene.bytes));
    box.querySelector(".stage").hidden = false;
    box.querySelector(".still").hidden = true;
  } catch (error) {
    box.querySelector("[data-why]").textContent = ` (${error.message})`;
  }
}
openViewer();

"use strict";
// Gaussians as the papers draw them (3DGS, sections 4 and 5): each projected with its covariance to
// an ellipse, blended back to front.  WebGL 2; the file is described in semsplat.figures.packed.

const ACROSS = 512; // Gaussians in a row of a texture, so that rows fit every GPU
const TEXELS = 3; // centre and opacity; covariance xx xy xz yy; covariance yz zz
const LOW_PASS = 0.3; // px² at the height that was learned from, as in training

const VERTEX = `#version 300 es
precision highp float; precision highp sampler2D;
uniform sampler2D shapes, colours;
uniform mat4 view; uniform vec2 size; uniform float focal, blur;
in vec2 corner; in uint row;
out vec2 place; out vec4 colour;
void main() {
  ivec2 at = ivec2(int(row) % ${ACROSS}, int(row) / ${ACROSS});
  ivec2 first = ivec2(at.x * ${TEXELS}, at.y);
  vec4 a = texelFetch(shapes, first, 0), b = texelFetch(shapes, first + ivec2(1, 0), 0);
  vec2 c = texelFetch(shapes, first + ivec2(2, 0), 0).xy;
  vec3 eye = (view * vec4(a.xyz, 1.0)).xyz;
  // beyond the picture's edge the projection is linearised where it still is tame
  vec2 edge = 0.65 * size / focal;
  vec2 slope = clamp(eye.xy / eye.z, -edge, edge);
  mat3 turn = transpose(mat3(view));
  vec3 right = focal / eye.z * (turn[0] - slope.x * turn[2]);
  vec3 down = focal / eye.z * (turn[1] - slope.y * turn[2]);
  mat3 covariance = mat3(b.x, b.y, b.z, b.y, b.w, c.x, b.z, c.x, c.y);
  vec3 spread = covariance * right;
  float xx = dot(right, spread) + blur, xy = dot(down, spread);
  float yy = dot(down, covariance * down) + blur;
  float middle = 0.5 * (xx + yy), reach = length(vec2(0.5 * (xx - yy), xy));
  vec2 axis = reach < 1e-6 ? vec2(1, 0) : abs(xy) > 1e-9
    ? normalize(vec2(xy, middle + reach - xx)) : xx > yy ? vec2(1, 0) : vec2(0, 1);
  place = corner * sqrt(max(0.0, 2.0 * log(255.0 * a.w)));
  vec2 offset = place.x * sqrt(middle + reach) * axis
    + place.y * sqrt(max(middle - reach, 0.01)) * vec2(-axis.y, axis.x);
  vec2 pixel = focal * eye.xy / eye.z + offset;
  gl_Position = vec4(2.0 * pixel / size * vec2(1, -1), 0, 1);
  colour = vec4(texelFetch(colours, at, 0).rgb, a.w);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec2 place; in vec4 colour; out vec4 drawn;
void main() {
  float alpha = colour.a * exp(-0.5 * dot(place, place));
  if (alpha < 1.0 / 255.0) discard;
  drawn = vec4(colour.rgb * alpha, alpha);
}`;

// Returns the packed arrays as bytes.
async function unpacked(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// A rotation's matrix, row by row, of a quaternion wxyz.
function rotation(w, x, y, z) {
  const n = 2 / (w * w + x * x + y * y + z * z || 1);
  return [
    1 - n * (y * y + z * z), n * (x * y - w * z), n * (x * z + w * y),
    n * (x * y + w * z), 1 - n * (x * x + z * z), n * (y * z - w * x),
    n * (x * z - w * y), n * (y * z + w * x), 1 - n * (x * x + y * y),
  ];
}

class Gaussians {
  constructor(model, bytes) {
    const { count, low, high, scales, at } = model;
    const steps = new DataView(bytes.buffer, bytes.byteOffset + at.positions);
    const turns = new Int8Array(bytes.buffer, bytes.byteOffset + at.rotations);
    this.count = count;
    this.own = bytes.subarray(at.colours, at.colours + 4 * count);
    this.centres = new Float32Array(3 * count);
    this.shapes = new Float32Array(4 * TEXELS * ACROSS * Math.ceil(count / ACROSS));
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < 3; k++) {
        const share = steps.getUint16(6 * i + 2 * k, true) / 65535;
        this.centres[3 * i + k] = low[k] + share * (high[k] - low[k]);
      }
      const r = rotation(turns[4 * i], turns[4 * i + 1], turns[4 * i + 2], turns[4 * i + 3]);
      const squares = [0, 1, 2].map((k) => {
        const share = bytes[at.scales + 3 * i + k] / 255;
        return Math.exp(2 * (scales[0] + share * (scales[1] - scales[0])));
      });
      const covariance = (a, b) =>
        squares.reduce((sum, s, k) => sum + s * r[3 * a + k] * r[3 * b + k], 0);
      this.shapes.set(this.centres.subarray(3 * i, 3 * i + 3), 4 * TEXELS * i);
      this.shapes.set(
        [this.own[4 * i + 3] / 255, covariance(0, 0), covariance(0, 1), covariance(0, 2),
          covariance(1, 1), covariance(1, 2), covariance(2, 2)],
        4 * TEXELS * i + 3,
      );
    }
  }

  // Returns the rows of what is farther than ``near``, farthest first: a counting sort by depth.
  order(view, near) {
    const depths = new Float32Array(this.count);
    let far = near;
    for (let i = 0; i < this.count; i++) {
      const z = view[2] * this.centres[3 * i] + view[6] * this.centres[3 * i + 1]
        + view[10] * this.centres[3 * i + 2] + view[14];
      depths[i] = z;
      if (z > far) far = z;
    }
    const bins = 65536, scale = (bins - 1) / (far - near || 1), starts = new Uint32Array(bins + 1);
    const bin = (z) => bins - 1 - Math.floor((z - near) * scale);
    for (const z of depths) if (z > near) starts[bin(z) + 1]++;
    for (let i = 0; i < bins; i++) starts[i + 1] += starts[i];
    const rows = new Uint32Array(starts[bins]);
    for (let i = 0; i < this.count; i++) if (depths[i] > near) rows[starts[bin(depths[i])]++] = i;
    return rows;
  }
}

class Painter {
  constructor(canvas) {
    // kept, so that the picture can be saved and read after it was drawn
    const gl = canvas.getContext("webgl2", { antialias: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error("no WebGL 2");
    this.canvas = canvas;
    this.gl = gl;
    this.program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS))
      throw new Error(gl.getProgramInfoLog(this.program));
    gl.useProgram(this.program);
    this.at = (name) => gl.getUniformLocation(this.program, name);
    this._attribute("corner", new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]));
    this.rows = this._attribute("row", new Uint32Array(1));
    gl.uniform1i(this.at("colours"), 1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.enable(gl.SCISSOR_TEST);
  }

  _attribute(name, values) {
    const gl = this.gl, buffer = gl.createBuffer(), where = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(where);
    if (values instanceof Uint32Array) {
      gl.vertexAttribIPointer(where, 1, gl.UNSIGNED_INT, 0, 0);
      gl.vertexAttribDivisor(where, 1);
    } else gl.vertexAttribPointer(where, 2, gl.FLOAT, false, 0, 0);
    return buffer;
  }

  texture(width, values) {
    const gl = this.gl, texture = gl.createTexture(), floats = values instanceof Float32Array;
    const height = values.length / 4 / width;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, floats ? gl.RGBA32F : gl.RGBA8, width, height, 0, gl.RGBA,
      floats ? gl.FLOAT : gl.UNSIGNED_BYTE, values);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    return texture;
  }

  // Draws panes {gaussians, colours (a texture), from, to (shares of the width)} from a camera
  // {view, near, focal and blur in pixels}.
  draw(panes, { view, near, focal, blur }, background) {
    const gl = this.gl, { width, height } = this.canvas, orders = new Map();
    gl.viewport(0, 0, width, height);
    gl.uniformMatrix4fv(this.at("view"), false, view);
    gl.uniform2f(this.at("size"), width, height);
    gl.uniform1f(this.at("focal"), focal);
    gl.uniform1f(this.at("blur"), blur);
    gl.clearColor(...background.map((v) => v / 255), 1);
    for (const { gaussians, colours, from, to } of panes) {
      gl.scissor(Math.round(from * width), 0, Math.round(to * width) - Math.round(from * width), height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      if (!orders.has(gaussians)) orders.set(gaussians, gaussians.order(view, near));
      const rows = orders.get(gaussians);
      gaussians.texture ??= this.texture(ACROSS * TEXELS, gaussians.shapes);
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, gaussians.texture);
      gl.activeTexture(gl.TEXTURE1);
      gl.bindTexture(gl.TEXTURE_2D, colours);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.rows);
      gl.bufferData(gl.ARRAY_BUFFER, rows, gl.DYNAMIC_DRAW);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, rows.length);
    }
  }
}

// The colours RGBA of a channel: its own, a palette's, or grey where nothing is selected.
function coloursOf(channel, gaussians, palettes, bytes) {
  const { count, own } = gaussians, found = new Uint8Array(4 * ACROSS * Math.ceil(count / ACROSS));
  const values = bytes.subarray(channel.at);
  for (let i = 0; i < count; i++) {
    const base = own.subarray(4 * i, 4 * i + 3);
    let colour = base;
    if (channel.kind === "rgb") colour = values.subarray(3 * i, 3 * i + 3);
    else if (channel.kind in palettes) colour = palettes[channel.kind].colours[values[i]];
    else if (channel.kind === "selected" && !values[i]) {
      const grey = 30 + 0.18 * (base[0] + base[1] + base[2]);
      colour = [grey, grey, grey];
    }
    found.set(colour, 4 * i);
  }
  return found;
}

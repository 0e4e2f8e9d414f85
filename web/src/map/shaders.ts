/** Each person is one point; a pass draws one category, so that the last pass lies on top. */
export const VERTEX = `#version 300 es
layout(location = 0) in vec2 a_from;
layout(location = 1) in vec2 a_to;
layout(location = 2) in uint a_from_state;
layout(location = 3) in uint a_state;
uniform float u_progress;
uniform vec2 u_scale;
uniform vec2 u_offset;
uniform float u_size;
uniform uint u_category;
void main() {
  uint drawn = a_state & 3u;
  uint category = drawn == 2u ? 0u : drawn == 1u ? 3u : drawn == 0u ? ((a_state & 4u) != 0u ? 2u : 1u) : 255u;
  if (category != u_category) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = 1.0;
    return;
  }
  vec2 from = (a_from_state & 3u) == 3u ? a_to : a_from;
  gl_Position = vec4(mix(from, a_to, u_progress) * u_scale + u_offset, 0.0, 1.0);
  gl_PointSize = u_size;
}`;

export const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D u_atlas;
uniform float u_cell;
uniform float u_opacity;
out vec4 colour;
void main() {
  colour = texture(u_atlas, vec2((u_cell + gl_PointCoord.x) * 0.25, gl_PointCoord.y)) * u_opacity;
}`;

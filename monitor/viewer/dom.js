/** @file Elements and colours: the little of a framework that the pages need. */

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

/** An element of a drawing. */
export function shape(tag, attributes = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A patch of the colour that a CSS variable holds. */
export function swatch(color, dashed = false) {
  const patch = element('i', { class: dashed ? 'swatch dashed' : 'swatch' });
  patch.style.setProperty('--swatch', `var(${color})`); // the pages' policy takes no style from markup
  return patch;
}

/** Writes only what is new, so that nobody who reads it is disturbed. */
export function setText(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Replaces the pairs of a description list, touching only what changed. */
export function fill(list, pairs) {
  const key = pairs.map(([name]) => name).join();
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(
      ...pairs.map(([name]) => element('div', {}, element('dt', {}, name), element('dd', {}))),
    );
  }
  pairs.forEach(([, value], index) => setText(list.children[index].lastElementChild, value));
}

// Elements in one expression.

type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, unknown>;

/** An HTML element; `on…` attributes are listeners, booleans are present or absent. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child != null && child !== false) element.append(child instanceof Node ? child : String(child));
  return element;
}

/** Waits until somebody is about to see an element. */
export function near(element: Element): Promise<void> {
  return new Promise((seen) => {
    const watch = new IntersectionObserver(([entry]) => {
      if (!entry!.isIntersecting) return;
      watch.disconnect();
      seen();
    }, { rootMargin: "50%" });
    watch.observe(element);
  });
}

/** A number as people read it: three digits, a real minus. */
export function number(value: number, digits = 2): string {
  const text = Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(digits);
  return text.replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
}

/** A figure as an SVG file: on white, every colour written out, nothing outside the file. */

import { escaped, round } from "./svg";

interface Picture {
  left: string;
  top: string;
  image: HTMLCanvasElement;
}

const HEAD = 34;

export function svgText(title: string, inside: string, width: number, height: number, picture: Picture | null): string {
  const body = `<text x="8" y="22" font-size="15" font-weight="700" fill="var(--ink)">${escaped(title)}</text>` +
    `<g transform="translate(0 ${HEAD})">${picture ? embedded(picture) : ""}${inside}</g>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + HEAD}" viewBox="0 0 ${width} ${height + HEAD}" font-family="DejaVu Sans, Segoe UI, Helvetica, Arial, sans-serif">` +
    `<title>${escaped(title)}</title><rect width="100%" height="100%" fill="var(--paper)"/>${body}</svg>`.replace(/var\((--[\w-]+)\)/g, (_, name: string) => lightColor(name)) + "\n";
}

function embedded({ left, top, image }: Picture): string {
  return `<image x="${parseFloat(left)}" y="${parseFloat(top)}" width="${round(image.width)}" height="${round(image.height)}" href="${image.toDataURL()}"/>`;
}

/** The value that a variable has on the light page. */
function lightColor(name: string): string {
  const probe = document.createElement("i");
  probe.style.cssText = `color-scheme:light;color:var(${name});display:none`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  const [r, g, b] = (color.match(/\d+/g) ?? ["0", "0", "0"]).map(Number);
  return `#${[r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

export function saveSvg(name: string, title: string, inside: string, width: number, height: number, picture: Picture | null): void {
  const blob = new Blob([svgText(title, inside, width, height, picture)], { type: "image/svg+xml" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `explorer-${name}.svg`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

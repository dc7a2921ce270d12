/**
 * Bundle src/ into one self-contained page: node build.mjs [--check]
 *
 * The page carries the SHA-256 of its sources, which a test of the Python side computes too: a page
 * that is older than its sources fails.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "convex_analyzer", "explorer", "explorer.html");

/** Hash of every source and of what builds it: path, a zero byte, length, a zero byte, content. */
function hashOfSources() {
  const files = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  files.push(...["build.mjs", "package.json", "tsconfig.json"].map((name) => join(here, name)));
  const hash = createHash("sha256");
  const names = files.map((file) => [relative(here, file).split(sep).join("/"), file]);
  for (const [name, file] of names.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const content = readFileSync(file);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

async function bundled(entry, options) {
  const result = await build({
    entryPoints: [join(here, "src", entry)], bundle: true, minify: true, write: false,
    target: ["chrome123", "firefox120", "safari17.5"], charset: "utf8", legalComments: "none", ...options,
  });
  return result.outputFiles[0].text.trim();
}

const script = await bundled("main.ts", { format: "iife", globalName: "ConvexExplorer" });
const style = await bundled("style.css", {});
if (/<\/(script|style)/i.test(script + style)) throw new Error("the bundle would close its own element");
const page = readFileSync(join(here, "src", "template.html"), "utf8")
  .replace("@sources@", hashOfSources)
  .replace("@policy@", () => createHash("sha256").update(script).digest("base64"))
  .replace("@style@", () => style)
  .replace("@script@", () => script);

if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== page) throw new Error("explorer.html is stale: npm run build");
} else writeFileSync(target, page);
console.log(`${relative(process.cwd(), target)}: ${Buffer.byteLength(page)} bytes`);

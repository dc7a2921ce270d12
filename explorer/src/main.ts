/** What the bundle offers: the numbers, for tests; and the page, where there is one. */

import { App } from "./app";
import { compute } from "./model";
import { FIGURES } from "./figures";
import { eigen } from "./linear";
import { LOOKS } from "./look";
import { readMatrix } from "./matrixtext";
import { RULES, ruleOf } from "./optimizers";
import { mount } from "./page";
import { makeProblem, ravine } from "./problem";
import { simulate, memoryAfter } from "./simulate";
import { defaults, fromHash, toHash, type Preset } from "./state";
import * as phase from "./figures/phase";
import * as theory from "./theory";
import { commandOf } from "./command";
import { verdictOf } from "./verdict";
import { english } from "./words";

export {
  commandOf, compute, defaults, eigen, english, FIGURES, fromHash, LOOKS, makeProblem, memoryAfter, mount, phase, ravine, readMatrix,
  ruleOf, RULES, simulate, theory, toHash, verdictOf,
};

/** The page's own application, for tests in a browser. */
export let app: App | null = null;

if (typeof document !== "undefined") {
  const preset = JSON.parse(document.getElementById("preset")?.textContent ?? "{}") as Preset;
  const root = document.getElementById("explorer");
  if (root) app = mount(root, preset, english);
}

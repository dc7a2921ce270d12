/** The figures, in the order of the page. */

import { contours } from "./contours";
import { directions } from "./directions";
import { factor } from "./factor";
import type { Figure } from "./figure";
import { gap } from "./gap";
import { map } from "./map";
import { panels } from "./panels";
import { phase } from "./phase";
import { roots } from "./roots";
import { ruler } from "./ruler";

export const FIGURES: readonly Figure[] = [ruler, contours, gap, map, roots, phase, directions, factor, panels];

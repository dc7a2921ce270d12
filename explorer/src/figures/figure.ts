/** What a figure is. A new one is one file like its neighbours, and one line in `index.ts`. */

import type { Fastest } from "../theory";
import type { Model } from "../model";
import type { Words } from "../words";

export interface Extra {
  /** The pair with the fewest steps, once it has been searched for. */
  fastest: Fastest | null;
  words: Words;
}

export interface Figure {
  id: string;
  /** As wide as the page. */
  wide?: boolean;
  /** Has something to drag: see `page.ts`. */
  interactive?: boolean;
  height(width: number, model: Model): number;
  /** The finding, as a title. */
  title(model: Model, extra: Extra): string;
  name(words: Words): string;
  how(words: Words): string;
  /** The inside of an SVG of this width. */
  draw(model: Model, width: number, extra: Extra): string;
}

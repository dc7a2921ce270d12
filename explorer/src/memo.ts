/** What was made of an object once, and needs making again only when something else about it changes. */

const kept = new WeakMap<object, Map<string, { key: string; value: unknown }>>();

/** `make()`, or what it gave the last time for this owner, slot and key. */
export function remembered<T>(owner: object, slot: string, key: string, make: () => T): T {
  let slots = kept.get(owner);
  if (!slots) kept.set(owner, (slots = new Map()));
  const before = slots.get(slot);
  if (before?.key === key) return before.value as T;
  const value = make();
  slots.set(slot, { key, value });
  return value;
}

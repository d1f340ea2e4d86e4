/** Images that wait: urgent ones first, and else in their order. */
export interface DecodeQueue<T> {
  readonly size: number;
  first(): T | undefined;
  push(image: T): void;
  /** Before all of its kind: it had its turn already. */
  pushFront(image: T): void;
  shift(): T | undefined;
  /** Whether it was there. */
  remove(image: T): boolean;
}

export function createDecodeQueue<T extends { urgent: boolean }>(): DecodeQueue<T> {
  const lines: [urgent: T[], bulk: T[]] = [[], []];
  const lineOf = ({ urgent }: T) => lines[urgent ? 0 : 1];
  return {
    get size() {
      return lines[0].length + lines[1].length;
    },
    first: () => lines[0][0] ?? lines[1][0],
    push: (image) => void lineOf(image).push(image),
    pushFront: (image) => void lineOf(image).unshift(image),
    shift: () => lines[0].shift() ?? lines[1].shift(),
    remove(image) {
      const line = lineOf(image);
      const place = line.indexOf(image);
      if (place >= 0) line.splice(place, 1);
      return place >= 0;
    },
  };
}

/**
 * The batch sizes a device that plans for each shape gets to see, smallest first: 1, 4, 16, ... and the batch size.
 *
 * A full batch is of its own size and never padded. Less than a full one goes only to an idle session, which has the time:
 * of steps by four it computes at most four times what was asked, and a worker of batch size 64 warms four shapes; steps by two
 * would waste half at most, and warm seven. A size of more than half the batch size would save little and is left out.
 */
export function batchShapes(batchSize: number): number[] {
  const shapes = [batchSize];
  for (let size = 4 ** Math.floor(Math.log(batchSize) / Math.log(4)); size >= 1; size /= 4) {
    if (size * 2 <= batchSize) shapes.unshift(size);
  }
  return shapes;
}

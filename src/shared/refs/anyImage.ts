/** One transparent pixel: where only the vectors of labels are wanted, any image will do. */
export const ANY_IMAGE =
  'data:;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=';

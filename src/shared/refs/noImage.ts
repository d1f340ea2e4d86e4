/**
 * The uri of an image without a byte. Whoever asks a worker whether it can encode labels adds it: the worker comes to it only with the labels
 * encoded, and it costs nothing. Its row says nothing of anybody's image.
 */
export const NO_IMAGE = 'data:,';

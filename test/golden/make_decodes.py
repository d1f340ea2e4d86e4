"""Makes test/golden/decodes/: one small file for each way an image can be stored, and what Pillow makes of it.

    python3 -m venv VENV && VENV/bin/pip install pillow==13.0.0 numpy==2.4.6 pillow-heif==1.8.1
    VENV/bin/pip install torch==2.13.0 transformers==5.23.0
    VENV/bin/python test/golden/make_decodes.py

decodes.json: {file: {size, sha256}} of the RGB bytes after transformers' `load_image` and `convert_to_rgb`, nothing
resized; {file: {error}} where Python raises. AVIF and HEIC have their pixels beside them (FILE.rgb), for their decoders
differ by a level here and there.
"""
import hashlib
import io
import json
import os
import shutil
import struct
import warnings
import zlib

import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin
from transformers.image_transforms import convert_to_rgb
from transformers.image_utils import load_image

from draw_images import photo

warnings.simplefilter("ignore")
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decodes")
WIDTH, HEIGHT = 40, 28
ORIENTATION = 0x0112
II, BB = "<", ">"

picture = Image.fromarray(photo(WIDTH, HEIGHT, 5))
grey = picture.convert("L")
rgba = picture.convert("RGBA")
rgba.putalpha(Image.fromarray(np.broadcast_to(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, WIDTH))))
levels = np.asarray(grey)
random = np.random.default_rng(3)
files = {}


def save(image, name, **options):
    kind = options.pop("format", None) or {"jpg": "JPEG", "tif": "TIFF"}.get(name.rsplit(".", 1)[1], name.rsplit(".", 1)[1].upper())
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    files[name] = buffer.getvalue()


def exif(orientation):
    made = Image.Exif()
    made[ORIENTATION] = orientation
    return made


def xmp(orientation, element=False):
    said = f"><tiff:Orientation>{orientation}</tiff:Orientation></rdf:Description>" if element else f' tiff:Orientation="{orientation}"/>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{said}</rdf:RDF></x:xmpmeta>'.encode()


def app1(jpeg, *bodies):
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body for body in bodies)
    return jpeg[:2] + segments + jpeg[2:]


def tiff_of(orientation):
    """Exif's bytes without Pillow's prefix."""
    raw = exif(orientation).tobytes()
    return raw[6:] if raw.startswith(b"Exif\0\0") else raw


def jpegs():
    save(picture, "plain.jpg", quality=80)
    save(picture, "progressive.jpg", quality=80, progressive=True)
    save(picture, "full-chroma.jpg", quality=80, subsampling=0)
    save(picture, "half-chroma.jpg", quality=80, subsampling=1)
    save(picture, "restarts.jpg", quality=80, restart_marker_blocks=2)
    save(picture, "stored-as-rgb.jpg", quality=80, keep_rgb=True, subsampling=0)
    save(picture.convert("CMYK"), "cmyk.jpg", quality=80)
    save(grey, "grey.jpg", quality=80)
    for orientation in range(1, 9):
        save(picture, f"exif-{orientation}.jpg", quality=80, exif=exif(orientation))
    plain = files["plain.jpg"]
    space = b"http://ns.adobe.com/xap/1.0/\0"
    for orientation in (2, 5, 6, 9):
        files[f"xmp-{orientation}.jpg"] = app1(plain, space + xmp(orientation))
    files["xmp-element.jpg"] = app1(plain, space + xmp(6, element=True))
    files["exif-over-xmp.jpg"] = app1(plain, b"Exif\0\0" + tiff_of(3), space + xmp(6))
    files["tail.jpg"] = plain + b"what a phone appends"
    save(picture, "two-pictures.jpg", format="MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    files["really-a-png.jpg"] = b""


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(rows, depth, colour_type, width, *chunks):
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join([chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")])


def text_png(name, key, text, zipped, international):
    info = PngImagePlugin.PngInfo()
    (info.add_itxt if international else info.add_text)(key, text, zip=zipped)
    save(picture, name, pnginfo=info)


def pngs():
    save(picture, "plain.png")
    files["really-a-png.jpg"] = files["plain.png"]
    save(picture.convert("1"), "dithered.png")
    save(rgba, "rgba.png")
    save(picture.convert("LA"), "grey-alpha.png")
    for colours in (2, 16, 200):
        save(picture.quantize(colours), f"palette-{colours}.png")
        save(picture.quantize(colours), f"palette-key-{colours}.png", transparency=1)
    save(picture.quantize(16), "palette-alpha.png", transparency=bytes([0, 128, 255, 0] + [255] * 12))
    save(picture, "key.png", transparency=picture.getpixel((3, 4)))
    save(grey, "grey-key.png", transparency=grey.getpixel((3, 4)))
    for orientation in (5, 6, 7):
        save(picture, f"exif-{orientation}.png", exif=exif(orientation))
    raw = (b"Exif\0\0" + tiff_of(6)).hex()
    legacy = "\nexif\n%8d\n%s\n" % (len(raw) // 2, "\n".join(raw[i:i + 72] for i in range(0, len(raw), 72)))
    text_png("raw-profile.png", "Raw profile type exif", legacy, False, False)
    text_png("raw-profile-zipped.png", "Raw profile type exif", legacy, True, False)
    text_png("xmp.png", "XML:com.adobe.xmp", xmp(6).decode(), False, True)
    text_png("xmp-zipped.png", "XML:com.adobe.xmp", xmp(8).decode(), True, True)
    wide = random.integers(0, 400, (12, 16)).astype(">u2")
    rows = [row.tobytes() for row in wide]
    files["grey-16.png"] = png_of(rows, 16, 0, 16)
    for key in (100, 255, 300):
        files[f"grey-16-key-{key}.png"] = png_of(rows, 16, 0, 16, chunk(b"tRNS", struct.pack(">H", key)))
    deep = random.integers(0, 65536, (12, 16, 3)).astype(">u2")
    deep[2:5, 2:5], deep[6:9, 6:9] = (0x1234, 0x5678, 0x9ABC), (0x3434, 0x7878, 0xBCBC)
    rows = [row.tobytes() for row in deep]
    files["rgb-16.png"] = png_of(rows, 16, 2, 16)
    files["rgb-16-key.png"] = png_of(rows, 16, 2, 16, chunk(b"tRNS", struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC)))
    for depth in (1, 2, 4):
        rows = [random.integers(0, 256, 2 * depth).astype(np.uint8).tobytes() for _ in range(12)]
        for key in (0, 1):
            files[f"grey-{depth}-key-{key}.png"] = png_of(rows, depth, 0, 16, chunk(b"tRNS", struct.pack(">H", key)))
    save(picture, "not-in-its-animation.png", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT), "blue")], default_image=True)


def gif_of(frames, size, palette=((0, 0, 255), (255, 0, 0), (0, 255, 0), (255, 255, 255)), transparent=None, disposal=0):
    """Frames (left, top, width, height, index), each of one colour, in codes of three bits that never grow."""
    flags = 0x91 if palette else 0x11
    out = b"GIF89a" + struct.pack("<HHBBB", *size, flags, 2, 0) + b"".join(bytes(colour) for colour in palette or ())
    for left, top, width, height, index in frames:
        out += b"\x21\xf9\x04" + bytes([(disposal << 2) | (transparent is not None), 10, 0, transparent or 0, 0])
        out += b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + b"\x02"
        codes = [code for i in range(width * height) for code in ((4, index) if i % 2 == 0 else (index,))] + [5]
        bits = sum(code << (3 * i) for i, code in enumerate(codes))
        data = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
        out += b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255)) + b"\0"
    return out + b";"


def gifs():
    save(picture, "plain.gif")
    save(picture, "interlaced.gif", interlace=1)
    save(grey, "grey.gif")
    save(picture.quantize(16), "key.gif", transparency=3)
    files["part-of-canvas.gif"] = gif_of([(6, 3, 10, 9, 1)], (24, 20))
    files["part-of-canvas-key.gif"] = gif_of([(6, 3, 10, 9, 1)], (24, 20), transparent=2)
    files["part-of-canvas-same-key.gif"] = gif_of([(6, 3, 10, 9, 1)], (24, 20), transparent=1)
    files["past-the-canvas.gif"] = gif_of([(6, 3, 30, 22, 1)], (24, 20))
    files["no-palette.gif"] = gif_of([(0, 0, 10, 9, 1)], (10, 9), palette=None)
    files["animated.gif"] = gif_of([(6, 3, 10, 9, 1), (0, 0, 5, 5, 2)], (24, 20), disposal=2)


def webps():
    save(picture, "plain.webp", quality=80)
    save(picture, "lossless.webp", lossless=True)
    save(rgba, "rgba.webp", quality=80)
    save(rgba, "animated-rgba.webp", save_all=True, append_images=[Image.new("RGBA", rgba.size, (0, 0, 255, 90))], lossless=True)
    save(picture, "exif-6.webp", lossless=True, exif=exif(6))
    save(picture, "xmp-6.webp", lossless=True, xmp=xmp(6))


def tiff_of_tags(tags, strips, order=II, size=(WIDTH, HEIGHT)):
    data = b"".join(strips)
    offsets = [8 + sum(map(len, strips[:i])) for i in range(len(strips))]
    tags = {258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 277: (3, [1]), **tags, 256: (4, [size[0]]), 257: (4, [size[1]]),
            273: (4, offsets), 278: (4, [size[1]]), 279: (4, [len(strip) for strip in strips])}
    data += b"\0" * (len(data) & 1)
    far = 8 + len(data) + 2 + 12 * len(tags) + 4
    entries, values = struct.pack(order + "H", len(tags)), b""
    for tag, (kind, numbers) in sorted(tags.items()):
        raw = struct.pack(order + {3: "H", 4: "I"}[kind] * len(numbers), *numbers)
        where = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(order + "I", far + len(values))
        values += raw if len(raw) > 4 else b""
        entries += struct.pack(order + "HHI", tag, kind, len(numbers)) + where
    head = (b"II*\0" if order == II else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    return head + data + entries + b"\0\0\0\0" + values


def tiffs():
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        save(picture, f"{compression}.tif", compression=compression)
    save(picture.convert("1"), "group4.tif", compression="group4")
    save(picture.quantize(64), "palette.tif", compression="tiff_lzw")
    save(picture.convert("CMYK"), "cmyk.tif")
    save(rgba, "rgba.tif")
    save(picture.convert("LA"), "grey-alpha.tif")
    save(picture.convert("YCbCr"), "ycbcr.tif")
    save(picture.convert("LAB"), "cielab.tif")
    save(picture.convert("F"), "float.tif")
    for orientation in (5, 6, 7):
        save(picture, f"turned-{orientation}.tif", compression="tiff_lzw", tiffinfo={274: orientation})
    save(picture, "xmp-6.tif", tiffinfo={700: xmp(6)})
    samples = np.asarray(rgba).astype(int)
    premultiplied = np.dstack([samples[..., :3] * samples[..., 3:] // 255, samples[..., 3:]]).astype(np.uint8)
    four = {258: (3, [8] * 4), 262: (3, [2]), 277: (3, [4])}
    files["premultiplied.tif"] = tiff_of_tags({**four, 338: (3, [1])}, [premultiplied.tobytes()])
    files["extra-sample.tif"] = tiff_of_tags({**four, 338: (3, [0])}, [np.asarray(rgba).tobytes()])
    three = {258: (3, [8] * 3), 262: (3, [2]), 277: (3, [3])}
    planes = [np.ascontiguousarray(np.asarray(picture)[..., i]).tobytes() for i in range(3)]
    files["planes.tif"] = tiff_of_tags({**three, 284: (3, [2])}, planes)
    files["white-is-zero.tif"] = tiff_of_tags({262: (3, [0])}, [levels.tobytes()])
    files["grey-4.tif"] = tiff_of_tags({258: (3, [4])}, [levels[:, :WIDTH // 2].tobytes()])
    files["grey-16.tif"] = tiff_of_tags({258: (3, [16])}, [(levels.astype("<u2") * 2).tobytes()])
    files["grey-16-other-order.tif"] = tiff_of_tags({258: (3, [16])}, [(levels.astype(">u2") * 2).tobytes()], BB)
    files["rgb-16.tif"] = tiff_of_tags({**three, 258: (3, [16] * 3)}, [(np.asarray(picture).astype("<u2") * 257).tobytes()])


def bmp_of(bits, data, palette=b"", compression=0, masks=(), height=HEIGHT, header=40):
    offset = 14 + header + 4 * len(masks) + len(palette)
    if header == 12:
        info = struct.pack("<IHHHH", 12, WIDTH, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(data), 2835, 2835, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + struct.pack(f"<{len(masks)}I", *masks) + palette + data


def run_lengths(rows, bits):
    """Runs, then a literal stretch, then a skipped stretch in each row."""
    out = b""
    for row in rows:
        pair = bytes([row[0]]) if bits == 8 else bytes([(row[0] << 4) | row[1]])
        literal = bytes(row[10:15]) if bits == 8 else bytes([(row[10] << 4) | row[11], (row[12] << 4) | row[13], row[14] << 4])
        out += b"\x0a" + pair + b"\0\x05" + literal + b"\0" * (len(literal) & 1) + b"\x14" + pair + b"\0\0"
    return out + b"\0\1"


def bmps():
    save(picture, "plain.bmp")
    save(grey, "grey.bmp")
    save(picture.convert("1"), "dithered.bmp")
    save(picture.quantize(64), "palette.bmp")
    save(rgba, "rgba.bmp")
    words = random.integers(0, 65536, (HEIGHT, WIDTH)).astype("<u2").tobytes()
    files["15-bit.bmp"] = bmp_of(16, words)
    files["16-bit.bmp"] = bmp_of(16, words, compression=3, masks=(0xF800, 0x7E0, 0x1F))
    pixels = random.integers(0, 256, (HEIGHT, WIDTH, 4)).astype(np.uint8).tobytes()
    files["masks.bmp"] = bmp_of(32, pixels, compression=3, masks=(0xFF000000, 0xFF0000, 0xFF00))
    files["top-down.bmp"] = bmp_of(32, pixels, height=-HEIGHT)
    palette = random.integers(0, 256, (256, 4)).astype(np.uint8).tobytes()
    indices = random.integers(0, 256, (HEIGHT, WIDTH))
    files["runs-8.bmp"] = bmp_of(8, run_lengths(indices, 8), palette, compression=1)
    files["runs-4.bmp"] = bmp_of(4, run_lengths(indices % 16, 4), palette[:64], compression=2)
    files["4-bit.bmp"] = bmp_of(4, random.integers(0, 256, HEIGHT * 20).astype(np.uint8).tobytes(), palette[:64])
    old = b"".join(palette[i:i + 3] for i in range(0, 1024, 4))
    files["oldest-header.bmp"] = bmp_of(8, indices.astype(np.uint8).tobytes(), old, header=12)


def avifs_and_heic():
    for chroma in ("4:4:4", "4:2:0", "4:0:0"):
        save(picture, f"{chroma.replace(':', '')}.avif", quality=90, subsampling=chroma)
    full = {"quality": 90, "subsampling": "4:4:4"}
    save(picture, "animated.avif", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT), "blue")], **full)
    save(rgba, "rgba.avif", **full)
    save(picture, "xmp-6.avif", xmp=xmp(6), **full)
    for orientation in (5, 6):
        save(picture, f"exif-{orientation}.avif", exif=exif(orientation), **full)
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=90, chroma=444)
    files["plain.heic"] = buffer.getvalue()


def reference(path):
    try:
        image = convert_to_rgb(load_image(path))
        return image.size, np.asarray(image).tobytes()
    except Exception as error:
        return None, f"{type(error).__name__}: {error}".replace(path, os.path.basename(path))[:120]


def main():
    for draw in (jpegs, pngs, gifs, webps, tiffs, bmps, avifs_and_heic):
        draw()
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    pillow_heif.register_heif_opener()
    entries = {}
    for name, data in sorted(files.items()):
        path = os.path.join(OUT, name)
        with open(path, "wb") as file:
            file.write(data)
        size, pixels = reference(path)
        entries[name] = {"error": pixels} if size is None else {"size": size, "sha256": hashlib.sha256(pixels).hexdigest()}
        if size is not None and name.endswith((".avif", ".heic")):
            with open(path + ".rgb", "wb") as file:
                file.write(pixels)
    with open(os.path.join(OUT, "decodes.json"), "w") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items()) + "\n}\n")
    print(len(entries), "files")


main()

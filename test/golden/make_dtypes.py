"""Writes models/demo in every number format, as exports on the Hub name and make them, to measure what each one costs.

    python3 -m venv VENV && VENV/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 sympy==1.14.0 onnx_ir==1.1.0
    VENV/bin/python test/golden/make_dtypes.py FOLDER
    npm run build && node dist/test/golden/dtype-drift.js FOLDER

    FOLDER/demo           fp32, fp16 (inputs and outputs stay float32), q8, int8, uint8, q4, q4f16, bnb4
    FOLDER/demo-half-io   fp16 whose inputs and outputs are float16 too

Settings are those of transformers.js' own conversion, which made most of the Hub's exports: 8 bits by dynamic quantization
of whole tensors (q8 takes unsigned weights, because the graph has a convolution), 4 bits symmetric in blocks of 32,
bnb4 as NF4 in blocks of 64.
"""
import os
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = os.path.join(ROOT, "models", "demo")
GRAPHS = ("vision_model", "text_model", "model")


def load(name):
    """The graph with plain float32 weights: it is stored with float16 ones and a Cast that restores each."""
    model = onnx.load(os.path.join(MODEL, "onnx", f"{name}.onnx"))
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        stored = weights.get(node.input[0]) if node.op_type == "Cast" else None
        if stored is None or stored.data_type != TensorProto.FLOAT16:
            nodes.append(node)
            continue
        value = numpy_helper.to_array(stored).astype(np.float32)
        model.graph.initializer.remove(stored)
        model.graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def half(model, float32_io=True):
    return convert_float_to_float16(model, keep_io_types=float32_io)


def four_bits(model):
    quantizer = MatMulNBitsQuantizer(model, block_size=32, is_symmetric=True)
    quantizer.process()
    return quantizer.model.model


def nf4(model):
    quantizer = MatMulBnb4Quantizer(model, MatMulBnb4Quantizer.NF4, block_size=64)
    quantizer.process()
    return quantizer.model.model


def save(model, folder, name, suffix):
    onnx.save(model, os.path.join(folder, "onnx", f"{name}{suffix}.onnx"))


def write_eight_bits(model, folder, name):
    has_convolution = any(node.op_type == "Conv" for node in model.graph.node)
    kinds = {"_int8": QuantType.QInt8, "_uint8": QuantType.QUInt8}
    kinds["_quantized"] = kinds["_uint8" if has_convolution else "_int8"]
    for suffix, weight_type in kinds.items():
        path = os.path.join(folder, "onnx", f"{name}{suffix}.onnx")
        quantize_dynamic(model, path, weight_type=weight_type, extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True})


def copy_model(folder):
    shutil.copytree(MODEL, folder, ignore=shutil.ignore_patterns("onnx", "training"))
    os.makedirs(os.path.join(folder, "onnx"))


def main():
    if len(sys.argv) != 2:
        sys.exit("Expected the folder to write to.")
    folder, half_folder = (os.path.join(sys.argv[1], name) for name in ("demo", "demo-half-io"))
    copy_model(folder)
    copy_model(half_folder)
    for name in GRAPHS:
        save(load(name), folder, name, "")
        save(half(load(name)), folder, name, "_fp16")
        save(half(load(name), float32_io=False), half_folder, name, "_fp16")
        write_eight_bits(load(name), folder, name)
        save(four_bits(load(name)), folder, name, "_q4")
        save(half(four_bits(load(name))), folder, name, "_q4f16")
        save(nf4(load(name)), folder, name, "_bnb4")


if __name__ == "__main__":
    main()

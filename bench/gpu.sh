#!/usr/bin/env bash
# What a GPU gives: the session by batch size and precision, the decoder beside it, and the whole worker.
#
#   bench/gpu.sh [cuda|cpu]        cpu takes the same way without a GPU, to try the script
#
# Needs Linux on x64, Node 20 and a checkout after `npm ci`; redis-server; Python with pip. Everything else is fetched where
# it is missing. On a machine without a network, carry node_modules, the models, and the wheel (ORT_WHEEL) along.
#
# Environment: PYTHON (python3), MODELS (.clipfleet/bench-models), ORT_WHEEL (path of an onnxruntime-gpu wheel),
# BATCHES, BATCH (of the worker), IMAGES, ROUNDS.
set -euo pipefail
cd "$(dirname "$0")/.."

device=${1:-cuda}
python=${PYTHON:-python3}
model=${MODELS:-.clipfleet/bench-models}/vit-b-32
libraries=.clipfleet/cuda
binaries=node_modules/onnxruntime-node/bin/napi-v6/linux/x64
version=$(node -p 'require("./node_modules/onnxruntime-node/package.json").version')

# ONNX Runtime's part for CUDA is not in the npm package. The wheel of the same version has it, for one major of CUDA.
install_provider() {
  local wheel=${ORT_WHEEL:-} unpacked
  unpacked=$(mktemp -d)
  trap 'rm -rf "$unpacked"' RETURN
  if [ -z "$wheel" ]; then
    "$python" -m pip download --quiet --no-deps --dest "$unpacked" "onnxruntime-gpu==$version"
    wheel=$(echo "$unpacked"/*.whl)
  fi
  case $(basename "$wheel") in
    onnxruntime_gpu-"$version"-*) ;;
    *) echo "Expected a wheel of onnxruntime-gpu $version, got $wheel." >&2; return 1 ;;
  esac
  "$python" -m zipfile -e "$wheel" "$unpacked"
  cp "$unpacked"/onnxruntime/capi/libonnxruntime_providers_{shared,cuda}.so "$binaries/"
}

# The major of CUDA that the provider was built for, from the name of the library it asks for.
provider_major() { grep -ao 'libcudart\.so\.[0-9]*' "$binaries/libonnxruntime_providers_cuda.so" | head -n 1 | grep -o '[0-9]*$'; }

# The newest CUDA that the driver runs.
driver_major() { nvidia-smi 2>/dev/null | sed -n 's/.*CUDA Version: *\([0-9]*\).*/\1/p'; }

# CUDA's own libraries: the machine's, or else those that the wheel names.
find_cuda() {
  local provider=$binaries/libonnxruntime_providers_cuda.so
  if ldd "$provider" | grep -q 'not found'; then
    [ -d "$libraries" ] || "$python" -m pip install --quiet --target "$libraries" "onnxruntime-gpu[cuda,cudnn]==$version"
    LD_LIBRARY_PATH=$(find "$PWD/$libraries/nvidia" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:):${LD_LIBRARY_PATH:-}
    export LD_LIBRARY_PATH
  fi
  if ldd "$provider" | grep 'not found' >&2; then return 1; fi
}

if [ "$device" = cuda ]; then
  [ -e "$binaries/libonnxruntime_providers_cuda.so" ] || install_provider
  needed=$(provider_major)
  offered=$(driver_major || true)
  if [ "${offered:-0}" -lt "$needed" ]; then
    echo "Expected a driver of CUDA $needed, which this ONNX Runtime is built for, got ${offered:-none}. Update the driver, or" >&2
    echo "remove $binaries/libonnxruntime_providers_*.so and fetch the files for CUDA 12 as the README says." >&2
    exit 1
  fi
  find_cuda
  nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
fi

[ -e "$model/onnx/vision_model.onnx" ] || "$python" bench/random_models.py "$(dirname "$model")" vit-b-32
dtypes=fp32
best=fp32
if [ -e "$model/onnx/vision_model_fp16.onnx" ]; then dtypes=fp32,fp16 best=fp16; fi
rounds=${ROUNDS:-5}

npm run --silent build
bench() { node dist/bench/main.js "$@" --device "$device" --rounds "$rounds"; }
bench session --models "$model" --dtypes "$dtypes" --threads "$(nproc)" --batches "${BATCHES:-1,8,32,64,128,256}" --section "session-$device"
bench pipeline --models "$model" --dtype "$best" --batch "${BATCH:-64}" --images "${IMAGES:-2048}" --section "pipeline-$device"

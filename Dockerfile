# Clipfleet's images, with any command of the command line:
#
#   docker build -t clipfleet .                       the CPU image
#   docker build -t clipfleet:cuda --target cuda .    for NVIDIA GPUs
#
# docs/deployment.md says what is in them.

FROM node:20-bookworm-slim AS build
WORKDIR /app
# The dependencies first: their layer stays until the lockfile changes. None needs its install script.
COPY package.json package-lock.json .npmrc ./
COPY scripts/beforeInstall.mjs scripts/
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts \
 # ONNX Runtime comes for every system and processor: 245 MB of it are for others than this one.
 && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} + \
 && node scripts/notices.mjs > NOTICES.txt \
 && mkdir -p /models /data

# The CUDA provider of the very version of ONNX Runtime that npm installed, of CUDA 12 and cuDNN 9, from NuGet.
FROM build AS build-cuda
RUN ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js

# A driver of CUDA 12 or newer on the host, and NVIDIA's container toolkit.
FROM nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04 AS cuda
COPY --from=build-cuda /usr/local/bin/node /usr/local/bin/
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates tini \
 && rm -rf /var/lib/apt/lists/* \
 # Ubuntu's images have a user of that id already.
 && (userdel --remove ubuntu || true) \
 && useradd --uid 1000 --create-home node
WORKDIR /app
COPY --from=build-cuda /app/package.json /app/LICENSE /app/NOTICES.txt ./
COPY --from=build-cuda /app/node_modules ./node_modules
COPY --from=build-cuda /app/dist/src ./dist/src
COPY --from=build-cuda /app/src/gateway/page ./src/gateway/page
COPY --from=build-cuda /app/models/demo ./models/demo
COPY --from=build-cuda /app/examples/pictures ./examples/pictures
COPY --from=build-cuda --chown=node:node /models /models
COPY --from=build-cuda --chown=node:node /data /data
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 HF_HOME=/models/huggingface CLIPFLEET_CACHE_DIR=/models/clipfleet \
    CLIPFLEET_HEALTH_PORT=8080 READY_URL=http://127.0.0.1:8080/ready
# By number, so that Kubernetes sees that it is not root.
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=3s --start-period=2m --retries=3 \
  CMD ["node", "-e", "fetch(process.env.READY_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "/app/dist/src/cli/main.js"]
CMD ["worker"]

# The last target is what a build without --target makes.
FROM node:20-bookworm-slim AS cpu
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates tini \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE /app/NOTICES.txt ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
COPY --from=build /app/src/gateway/page ./src/gateway/page
COPY --from=build /app/models/demo ./models/demo
COPY --from=build /app/examples/pictures ./examples/pictures
# Of the user, so that volumes that are mounted here for the first time are too.
COPY --from=build --chown=node:node /models /models
COPY --from=build --chown=node:node /data /data
# Several threads take and free large buffers; glibc would keep a heap for each of them.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 HF_HOME=/models/huggingface CLIPFLEET_CACHE_DIR=/models/clipfleet \
    CLIPFLEET_HEALTH_PORT=8080 READY_URL=http://127.0.0.1:8080/ready
# A model that is downloaded as the image is built, so that no worker waits for it: --build-arg MODEL=openai/clip-vit-base-patch32
ARG MODEL=""
# By number, so that Kubernetes sees that it is not root.
USER 1000:1000
RUN if [ -n "$MODEL" ]; then node --input-type=module -e " \
      const { createClassifier } = await import('/app/dist/src/classifier.js'); \
      await (await createClassifier({ model: process.env.MODEL })).close();"; fi
# Ready means that jobs are taken and batches go well. The gateway has its own READY_URL.
HEALTHCHECK --interval=10s --timeout=3s --start-period=2m --retries=3 \
  CMD ["node", "-e", "fetch(process.env.READY_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "/app/dist/src/cli/main.js"]
CMD ["worker"]

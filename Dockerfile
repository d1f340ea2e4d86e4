# The CPU image of Clipfleet: `docker build -t clipfleet .`, then any command of the command line.
FROM node:20-bookworm-slim AS build
WORKDIR /app
# The dependencies first: their layer stays until the lockfile changes. No dependency needs an install script.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts
# The package brings ONNX Runtime for every system, 220 MB of it for others than this one.
RUN rm -rf node_modules/onnxruntime-node/bin/*/darwin node_modules/onnxruntime-node/bin/*/win32

FROM node:20-bookworm-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
COPY models/demo ./models/demo
COPY examples/pictures ./examples/pictures

# Several threads take and free large buffers; glibc would keep a heap for each of them.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2

USER node
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["worker"]

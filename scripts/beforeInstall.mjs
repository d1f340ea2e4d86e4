// Runs before the install scripts of the dependencies, where npm runs scripts at all. On Linux with x64 that of onnxruntime-node downloads
// CUDA libraries from NuGet. Where NuGet cannot be reached it fails, and says nothing of the way round: this says it first.
const feed = process.argv[2] ?? 'https://api.nuget.org/v3/index.json';
const { env, platform, arch } = process;
const isDecided = [
  'ONNXRUNTIME_NODE_INSTALL',
  'ONNXRUNTIME_NODE_INSTALL_CUDA',
  'npm_config_onnxruntime_node_install',
  'npm_config_onnxruntime_node_install_cuda',
  // The script's own proxy, which this request would not take.
  'GLOBAL_AGENT_HTTP_PROXY',
  'GLOBAL_AGENT_HTTPS_PROXY',
].some((name) => env[name]);

if (platform === 'linux' && arch === 'x64' && !isDecided) {
  try {
    await fetch(feed, { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    process.stderr.write(`Expected ${new URL(feed).host} to be reachable, but ${error.cause?.message ?? error.message}.
The install script of onnxruntime-node downloads CUDA libraries from there. Without a GPU nothing of it is needed:

    npm install --ignore-scripts ...
or
    ONNXRUNTIME_NODE_INSTALL=skip npm install ...
`);
    process.exitCode = 1;
  }
}

// Runs before the install scripts of the dependencies, where npm runs scripts at all. That of onnxruntime-node downloads CUDA libraries on some
// platforms. Where they cannot be reached it fails, and says nothing of the way round: this says it first.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const isDecided = [
  'ONNXRUNTIME_NODE_INSTALL',
  'ONNXRUNTIME_NODE_INSTALL_CUDA',
  'npm_config_onnxruntime_node_install',
  'npm_config_onnxruntime_node_install_cuda',
  // The script's own proxy, which this request would not take.
  'GLOBAL_AGENT_HTTP_PROXY',
  'GLOBAL_AGENT_HTTPS_PROXY',
].some((name) => process.env[name]);

/** What the script downloads here, and from where; undefined where it is not installed, or another version of it says this otherwise. */
function readMetadata() {
  try {
    const { requirements, feeds } = require(process.argv[2] ?? 'onnxruntime-node/script/install-metadata.js');
    return { wanted: requirements[`${process.platform}/${process.arch}`], feed: feeds.nuget.index };
  } catch {
    return undefined;
  }
}

const { wanted, feed } = readMetadata() ?? {};
if (wanted?.length > 0 && !isDecided) {
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

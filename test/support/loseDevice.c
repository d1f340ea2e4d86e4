/* A Vulkan layer that loses the device: once the file named by LOSE_DEVICE_AT exists, every submission fails with VK_ERROR_DEVICE_LOST. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int32_t VkResult;
typedef void (*Function)(void);
typedef Function (*GetProc)(void *, const char *);
typedef VkResult (*Create)(void *, const void *, const void *, void **);
typedef VkResult (*CreateInstance)(const void *, const void *, void **);
typedef VkResult (*Submit)(void *, uint32_t, const void *, void *);

/* Vulkan's loader puts this into the chain of a create-info: vk_layer.h, VkLayerInstanceCreateInfo and VkLayerDeviceCreateInfo. */
struct Link { struct Link *next; GetProc getInstanceProc; GetProc getDeviceProc; };
struct ChainInfo { int32_t type; const struct ChainInfo *next; int32_t function; struct Link *links; };
enum { LAYER_LINK = 0, INSTANCE_INFO = 47, DEVICE_INFO = 48, DEVICE_LOST = -4 };

static GetProc nextInstanceProc, nextDeviceProc;
static Submit nextSubmit;

static struct ChainInfo *linkOf(const void *info, int32_t type) {
  const struct ChainInfo *entry = ((const struct ChainInfo *)info)->next;
  while (entry && !(entry->type == type && entry->function == LAYER_LINK)) entry = entry->next;
  return (struct ChainInfo *)entry;
}
static VkResult submit(void *queue, uint32_t count, const void *submits, void *fence) {
  const char *path = getenv("LOSE_DEVICE_AT");
  if (path && access(path, F_OK) == 0) return DEVICE_LOST;
  return nextSubmit(queue, count, submits, fence);
}
static VkResult createInstance(const void *info, const void *allocator, void **instance) {
  struct ChainInfo *entry = linkOf(info, INSTANCE_INFO);
  nextInstanceProc = entry->links->getInstanceProc;
  CreateInstance next = (CreateInstance)nextInstanceProc(NULL, "vkCreateInstance");
  entry->links = entry->links->next;
  return next(info, allocator, instance);
}
static VkResult createDevice(void *physical, const void *info, const void *allocator, void **device) {
  struct ChainInfo *entry = linkOf(info, DEVICE_INFO);
  GetProc getInstanceProc = entry->links->getInstanceProc;
  nextDeviceProc = entry->links->getDeviceProc;
  Create next = (Create)getInstanceProc(NULL, "vkCreateDevice");
  entry->links = entry->links->next;
  VkResult result = next(physical, info, allocator, device);
  if (result == 0) nextSubmit = (Submit)nextDeviceProc(*device, "vkQueueSubmit");
  return result;
}
static Function ours(const char *name) {
  if (strcmp(name, "vkCreateInstance") == 0) return (Function)createInstance;
  if (strcmp(name, "vkCreateDevice") == 0) return (Function)createDevice;
  if (strcmp(name, "vkQueueSubmit") == 0) return (Function)submit;
  return NULL;
}
Function loseGetInstanceProcAddr(void *instance, const char *name);
Function loseGetDeviceProcAddr(void *device, const char *name) {
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (Function)loseGetDeviceProcAddr;
  Function own = ours(name);
  return own ? own : nextDeviceProc(device, name);
}
Function loseGetInstanceProcAddr(void *instance, const char *name) {
  if (strcmp(name, "vkGetInstanceProcAddr") == 0) return (Function)loseGetInstanceProcAddr;
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (Function)loseGetDeviceProcAddr;
  Function own = ours(name);
  return own ? own : nextInstanceProc(instance, name);
}

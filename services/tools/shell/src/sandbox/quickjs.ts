// The interpreter's package and its release build, in one place.
import variant from '@jitl/quickjs-wasmfile-release-sync';
import type { QuickJSSyncVariant } from 'quickjs-emscripten-core';

export { newQuickJSWASMModuleFromVariant, type QuickJSContext, type QuickJSHandle, type QuickJSWASMModule } from 'quickjs-emscripten-core';

/** The release build. Its types describe what `require` gives, which is not what `import` gives. */
export const RELEASE_SYNC = variant as unknown as QuickJSSyncVariant;

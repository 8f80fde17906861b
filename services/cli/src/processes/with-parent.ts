/** Options of Node for a process that ends when the command that started it is gone; its input is a pipe, or a channel. */
export const WITH_PARENT: readonly string[] = ['--import', new URL('./end-with-parent.js', import.meta.url).href];

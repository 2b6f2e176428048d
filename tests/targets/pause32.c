// A 32-bit process that waits for a signal: a target of another architecture.
// clang-19 -m32 -nostdlib -static needs no 32-bit library.
void _start(void) {
  for (;;) {
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(29) : "memory");  // pause(2) on i386
  }
}

// Embeds Python: embedder LIBPYTHON PYTHON_EXECUTABLE ARGUMENT... loads libpython by dlopen and
// runs it.
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  void* library = argc > 2 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
  if (library == NULL) {
    fprintf(stderr, "%s\n", argc > 2 ? dlerror() : "usage: embedder LIBPYTHON PYTHON ARGUMENT...");
    return 1;
  }
  int (*run)(int, char**) = (int (*)(int, char**))dlsym(library, "Py_BytesMain");
  return run(argc - 2, argv + 2);
}

// unique.cc - exports a GNU-unique symbol: the inline variable of a template.
#include <cstdlib>

template <typename T> struct __attribute__((visibility("default"))) holder {
    static inline int value = std::rand();
};

extern "C" __attribute__((visibility("default"))) const int weir_plugin;
extern "C" const int weir_plugin = holder<int>::value;

/* Prints the prefix it was linked into and a file found below it. PLACEHOLDER and the
   name of the library's function come from the compiler's command line. */
#include <stdio.h>

#ifdef LIBRARY
/* volatile: the string's length must be found at run time, after the prefix is replaced. */
static const char *volatile library_prefix = PLACEHOLDER;
const char *prefix_demo_library(void) { return library_prefix; }
#else
const char *prefix_demo_library(void);
static const char *volatile prefix = PLACEHOLDER;
static const char *volatile message = PLACEHOLDER "/share/prefix-demo/message.txt";

int main(void) {
    char text[256];
    FILE *file = fopen(message, "r");
    printf("program %s\nlibrary %s\n", prefix, prefix_demo_library());
    if (file == NULL || fgets(text, sizeof text, file) == NULL) return 1;
    printf("message %s", text);
    return 0;
}
#endif

// The program `video-consultation`: reads what it was asked and configured to do, runs it, and says in one line what
// stopped it. Exit code 2: a wrong setting or argument; 1: something it needs is missing; 0: done.
#include "app/program.hpp"

int main(int count, char** arguments) {
    return app::run_program({arguments + 1, arguments + count});
}

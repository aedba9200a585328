#include "cli/key_report.h"

namespace p11mime::cli {

void finish_key_command(Context& context, const KeyReport& report, const std::string& line) {
    context.deliver({}, key_report(frame_of(context, 0, "done"), report));
    context.terminal().say(line);
}

}  // namespace p11mime::cli

// Any content as the page of a mail: nothing in it may become markup.
#include <cstdlib>

#include "cli/html_page.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    ViewSource content({data, size});
    cms::smime::Report report;
    report.subject = std::string(text_of({data, size}));
    const std::string page = cli::html_page(report, cli::read_mail_text(content), cms::Time{});
    for (const char* markup : {"<script", "<img", "<a ", "<iframe", "<base", "<link", "\x1b", "\xe2\x80\xae"})
        if (page.find(markup) != std::string::npos) std::abort();
    return 0;
}

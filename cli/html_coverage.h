#pragma once

#include <string>
#include <vector>

#include "cli/html_mail.h"
#include "cms/smime/report.h"

namespace p11mime::cli {

/// Coverage says which signatures are over the parts of a mail's content.
class Coverage {
  public:
    Coverage(const cms::smime::Report& report, const MailText& mail);

    /// over is the signed layers that a part is in, outermost first.
    std::vector<const cms::smime::Layer*> over(const MailPart& part) const;

  private:
    const cms::smime::Report& report_;
    std::vector<const cms::smime::Layer*> around_;  // the whole content
    std::string root_;                              // path of the content in the report
    bool parts_known_ = false;                      // layers and parts of the content are the same ones
};

}  // namespace p11mime::cli

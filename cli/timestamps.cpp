#include "cli/timestamps.h"

#include <fmt/format.h>

#include "cli/fetch.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

class Authority final : public cms::TimestampSource {
  public:
    // The server may be the user's own organisation's: they have named it themselves.
    Authority(Context& context, std::string url)
        : context_(context), url_(std::move(url)), fetcher_({server_of(url_)}) {}

    Bytes answer(ByteView request) override {
        return fetcher_.post(url_, "application/timestamp-query", request, "application/timestamp-reply");
    }

    // Who trusts nobody has nothing to tell by. A signature waits for no other server.
    void took(ByteView token, ByteView stamped) override {
        cms::Trust trust = asking_nobody(context_.trust());
        if (trust.anchors.empty()) return;
        trust.at.reset();
        trust.require_revocation = false;
        const cms::TimestampVerdict verdict = judge_timestamp(token, stamped, &trust);
        if (verdict.integrity == cms::Integrity::valid) return;
        const std::string who = verdict.authority ? display_name(*verdict.authority) : url_;
        const std::string remedy = verdict.hint.empty() ? "" : fmt::format("when verifying, {}; ", verdict.hint);
        context_.warn_once("timestamp-uncounted",
                           fmt::format("the time-stamps of {} would not count if they were verified here: {}; "
                                       "{}--timestamp URL names another authority",
                                       who, verdict.reason, remedy));
    }

  private:
    Context& context_;
    std::string url_;
    Fetcher fetcher_;
};

}  // namespace

std::shared_ptr<cms::TimestampSource> timestamps_from(Context& context, const std::string& url) {
    if (!url.starts_with("http://") && !url.starts_with("https://"))
        throw Error(ErrorKind::usage, fmt::format("--timestamp does not take '{}'", url),
                    "it takes the address of an RFC 3161 authority: http://tsa.example.gov/");
    return std::make_shared<Authority>(context, url);
}

}  // namespace p11mime::cli

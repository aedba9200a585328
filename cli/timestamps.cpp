#include "cli/timestamps.h"

#include <fmt/format.h>

#include "cli/fetch.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

class Authority final : public cms::TimestampSource {
  public:
    // The server may be the user's own organisation's: they have named it themselves.
    explicit Authority(std::string url) : url_(std::move(url)), fetcher_({server_of(url_)}) {}

    Bytes answer(ByteView request) override {
        return fetcher_.post(url_, "application/timestamp-query", request, "application/timestamp-reply");
    }

  private:
    std::string url_;
    Fetcher fetcher_;
};

}  // namespace

std::shared_ptr<cms::TimestampSource> timestamps_from(const std::string& url) {
    if (!url.starts_with("http://") && !url.starts_with("https://"))
        throw Error(ErrorKind::usage, fmt::format("--timestamp does not take '{}'", url),
                    "it takes the address of an RFC 3161 authority: http://tsa.example.gov/");
    return std::make_shared<Authority>(url);
}

}  // namespace p11mime::cli

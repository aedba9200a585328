#include "cms/smime/loosely_decoded.h"

#include <algorithm>
#include <iterator>

#include "mime/codec.h"

namespace p11mime::cms::smime {

namespace {

// Base64Letters passes on the letters of base64 alone, in whole groups, so that decoding them never fails.
class Base64Letters final : public Source {
  public:
    explicit Base64Letters(Source& from) : from_(from) {}
    ByteView pull() override {
        letters_.clear();
        while (letters_.empty()) {
            const ByteView piece = from_.pull();
            if (piece.empty()) break;
            std::copy_if(piece.begin(), piece.end(), std::back_inserter(letters_), is_letter);
            count_ += letters_.size();
        }
        for (const bool ended = letters_.empty(); ended && count_ % 4 != 0; ++count_)
            letters_.push_back('A');
        return letters_;
    }

  private:
    static bool is_letter(Byte c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    }

    Source& from_;
    Bytes letters_;
    std::uint64_t count_ = 0;
};

}  // namespace

LooselyDecoded::LooselyDecoded(Source& body, mime::TransferEncoding encoding) {
    if (encoding == mime::TransferEncoding::base64) letters_ = std::make_unique<Base64Letters>(body);
    decoded_ = mime::decode(letters_ ? *letters_ : body, encoding);
}

}  // namespace p11mime::cms::smime

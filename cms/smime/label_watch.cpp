#include "cms/smime/label_watch.h"

#include <algorithm>

#include "mime/header.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::string_view kOctets = "octet-stream";
constexpr std::array<std::string_view, 3> kLabels{"pkcs7-mime", "pgp-encrypted", ".p7m"};
constexpr std::array<std::string_view, 3> kOpenPgpNames{".pgp", ".gpg", ".asc"};
constexpr std::size_t kLongestLabel = std::string_view("pgp-encrypted").size();

// has_label looks for a label by its sign, which is no letter of base64: most of what is large is passed over with it.
bool has_label(std::string_view text, std::string_view label) {
    const std::size_t sign = label.find_first_of("-.");
    for (std::size_t at = text.find(label[sign]); at != std::string_view::npos; at = text.find(label[sign], at + 1))
        if (at >= sign && mime::equal_ignoring_case(text.substr(at - sign, label.size()), label)) return true;
    return false;
}

}  // namespace

ByteView LabelWatch::pull() {
    const ByteView piece = from_.pull();
    const std::string_view text = text_of(piece);
    if (found()) return piece;
    end_ += text.substr(0, kLongestLabel);
    look_at(end_);
    look_at(text);
    if (text.size() >= kLongestLabel) end_ = text.substr(text.size() - kLongestLabel);
    end_.erase(0, end_.size() - std::min(end_.size(), kLongestLabel));
    return piece;
}

void LabelWatch::look_at(std::string_view text) {
    const auto is_there = [&](std::string_view label) { return has_label(text, label); };
    found_ = found_ || std::any_of(kLabels.begin(), kLabels.end(), is_there);
    octets_ = octets_ || is_there(kOctets);
    openpgp_name_ = openpgp_name_ || std::any_of(kOpenPgpNames.begin(), kOpenPgpNames.end(), is_there);
}

}  // namespace p11mime::cms::smime

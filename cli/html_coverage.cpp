#include "cli/html_coverage.h"

#include <algorithm>
#include <set>

namespace p11mime::cli {

using namespace cms::smime;

// A layer whose content is the next one, or the content of the mail, has it at its path and ".1".
Coverage::Coverage(const Report& report, const MailText& mail) : report_(report), root_("1") {
    const auto layer_at = [&](const std::string& path) {
        return std::find_if(report.layers.begin(), report.layers.end(),
                            [&](const Layer& layer) { return layer.path == path; });
    };
    std::set<std::string> left_on, found;
    for (const Layer& layer : report.layers)
        if (layer.type == LayerType::signed_data && layer.media_type == "multipart/signed") left_on.insert(layer.path);
    for (auto layer = layer_at(root_); layer != report.layers.end(); layer = layer_at(root_)) {
        if (layer->type == LayerType::signed_data && !signs_ciphertext(report, *layer)) around_.push_back(&*layer);
        left_on.erase(root_);
        root_ += ".1";
    }
    for (const std::string& path : mail.signed_paths)
        found.insert(root_ + path);
    parts_known_ = !mail.broken && found == left_on;
}

std::vector<const Layer*> Coverage::over(const MailPart& part) const {
    std::vector<const Layer*> layers = around_;
    if (!parts_known_) return layers;
    for (const Layer& layer : report_.layers)
        if (std::any_of(part.signed_in.begin(), part.signed_in.end(),
                        [&](const std::string& path) { return root_ + path == layer.path; }))
            layers.push_back(&layer);
    return layers;
}

}  // namespace p11mime::cli

// Any bytes as a mail, opened without a key, with a key that is wrong, and inspected. The outcome does not depend on
// the pieces that the mail comes in.
#include <cstdlib>
#include <string>

#include "cms/smime/read.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

// AnyKey claims to be every recipient's; its content key is zeros.
class AnyKey final : public cms::Decrypter {
  public:
    bool is_named_by(const cms::RecipientIdentifier&) const override { return true; }
    std::string name() const override { return "any key"; }
    std::string obstacle(const cms::Recovery&) const override { return {}; }
    std::optional<SecretBytes> recover(const cms::Recovery&, ByteView encrypted, const cms::Intent&,
                                       std::stop_token) override {
        return SecretBytes(encrypted.size() % 2 == 0 ? 32 : 16);
    }
    std::unique_ptr<cms::Decrypter> clone() const override { return std::make_unique<AnyKey>(); }
};

class Keys final : public cms::DecrypterSource {
  public:
    explicit Keys(bool any) : any_(any) {}
    std::vector<std::unique_ptr<cms::Decrypter>> find(std::span<const cms::RecipientIdentifier>,
                                                      const cms::Intent&) override {
        std::vector<std::unique_ptr<cms::Decrypter>> found;
        if (any_) found.push_back(std::make_unique<AnyKey>());
        return found;
    }
    std::vector<std::string> skipped() const override { return {}; }

  private:
    bool any_;
};

// read gives the content and the result; an error is its kind, since its words may tell how far the pieces had come.
std::string read(std::string_view mail, std::size_t piece_size, cms::smime::Task task, bool any_key) {
    Keys keys(any_key);
    cms::Trust trust;
    trust.clock = std::make_shared<cms::SystemClock>();
    cms::smime::ReadOptions options;
    options.task = task;
    const auto job = cms::smime::read_job(&keys, &trust, options);
    try {
        for (int pass = 0; pass < 30; ++pass) {
            test::PieceSource source(mail, piece_size);
            BytesSink output;
            if (!job->pass(source, output)) continue;
            if (job->report().result == cms::smime::Result::valid) std::abort();  // nobody is trusted
            return std::string(name(job->report().result)) + std::string(text_of(output.bytes));
        }
        std::abort();  // passes without end
    } catch (const Error& error) {
        return std::to_string(static_cast<int>(error.kind()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using cms::smime::Task;
    const std::string_view mail = text_of({data, size});
    if (read(mail, 0, Task::open, false) != read(mail, 3, Task::open, false)) std::abort();
    read(mail, 0, Task::inspect, false);
    // Random content keys make each reading another.
    read(mail, 0, Task::open, true);
    return 0;
}

#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "cms/smime/sign.h"
#include "softhsm-tests/mime_pieces.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

// kUnsafe must be re-encoded before clear signing, which shows only in a first pass.
constexpr std::string_view kUnsafe =
    "From: alice@example.gov\r\nSubject: unsafe\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
    "e  \r\nFrom here\r\n";

struct PassWorld {
    CmsBench bench;
    SoftwareSigner alice{bench.issue()};
    SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    SystemClock clock;

    std::unique_ptr<Job> make(int kind, Form form) {
        SignOptions sign;
        sign.form = form;
        sign.opaque = kind == 1;
        sign.detached = kind == 2;
        EncryptOptions encrypt;
        encrypt.form = form;
        encrypt.cipher = kind == 4 ? content_cipher("aes-256-gcm") : content_cipher("aes-256-cbc");
        switch (kind) {
            case 0:
            case 1:
            case 2:
                return sign_job({&alice}, clock, sign);
            case 3:
            case 4:
                return encrypt_job({{bob.certificate}}, encrypt);
            default:
                return seal_job({&alice}, clock, sign, {{bob.certificate}}, encrypt, kind == 6);
        }
    }
};

constexpr int kKinds = 7;

}  // namespace

TEST_CASE("a pass after the last writes the same bytes again") {
    PassWorld world;
    for (int kind = 0; kind < kKinds; ++kind)
        for (const Form form : {Form::smime, Form::der, Form::pem}) {
            CAPTURE(kind, static_cast<int>(form));
            world.alice.signatures = 0;
            const auto job = world.make(kind, form);
            const std::string first = run(*job, kUnsafe);
            for (const std::size_t piece : {std::size_t{0}, std::size_t{1}, std::size_t{7}}) {
                PieceSource source(kUnsafe, piece);
                BytesSink again;
                REQUIRE(job->pass(source, again));
                CHECK(text_of(again.bytes) == first);
            }
            // However many passes there are, each signature is made once.
            CHECK(world.alice.signatures == (kind == 3 || kind == 4 ? 0 : kind == 6 ? 2 : 1));
        }
}

TEST_CASE("an input that changes between passes is an error") {
    PassWorld world;
    const std::string other = replaced(std::string(kUnsafe), "here", "Here"),
                      longer = std::string(kUnsafe) + "more\r\n";
    for (int kind = 0; kind < kKinds; ++kind)
        for (const Form form : {Form::smime, Form::der})
            for (const std::string& changed : {other, longer}) {
                CAPTURE(kind, static_cast<int>(form), changed.size());
                const auto job = world.make(kind, form);
                run(*job, kUnsafe);
                ViewSource source(bytes_of(changed));
                BytesSink output;
                CHECK(caught([&] { job->pass(source, output); }).kind() == ErrorKind::io);
            }
}

TEST_CASE("reading again gives the same content, and a changed input is an error") {
    const PassWorld world;
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    const std::string clear = world.bench.sign({{world.bench.issue()}}, text);
    // A micalg that is wrong costs a pass, which is not repeated.
    const std::string message = replaced(clear, "micalg=sha-256", "micalg=sha-512");
    const Trust trust = world.bench.trust();
    ReadOptions options;
    options.task = Task::verify;
    const auto job = read_job(nullptr, &trust, options);
    const std::string first = run(*job, message);
    ViewSource same(bytes_of(message));
    BytesSink again;
    REQUIRE(job->pass(same, again));
    CHECK(text_of(again.bytes) == first);
    CHECK(job->report().result == Result::valid);
    const std::string changed = replaced(message, "second", "sec0nd");
    ViewSource other(bytes_of(changed));
    BytesSink output;
    CHECK(caught([&] { job->pass(other, output); }).kind() == ErrorKind::io);
}

TEST_CASE("authenticated input that changes between passes is an error") {
    const PassWorld world;
    EncryptOptions options;
    options.form = Form::der;
    options.cipher = content_cipher("aes-256-gcm");
    const std::string message = world.bench.encrypt({{world.bob.certificate}}, kUnsafe, options);
    SoftwareKeys keys({world.bob});
    ReadOptions read;
    read.task = Task::decrypt;
    const auto job = read_job(&keys, nullptr, read);
    CHECK(run(*job, message).find("From here") != std::string::npos);
    std::string changed = message;
    changed.back() ^= 1;
    ViewSource other(bytes_of(changed));
    BytesSink output;
    CHECK(caught([&] { job->pass(other, output); }).kind() == ErrorKind::io);
}

// The least that work takes, with the libraries that p11mime uses:
//
//   p11mime-bench-limits gcm FILE                         AES-256-GCM over the file's bytes
//   p11mime-bench-limits sign MODULE ID THREADS COUNT     that many C_Sign, the token's PIN in $PIN
//   p11mime-bench-limits files MODULE ID THREADS FROM TO  one C_Sign for each file of the directory FROM, written to
//                                                         the directory TO: synced and renamed
//
// ID is the key's CKA_ID in hexadecimal; the key is RSA, the mechanism CKM_SHA256_RSA_PKCS.

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cms/handle.h"
#include "token/cryptoki.h"

namespace {

using Octets = std::vector<unsigned char>;

constexpr std::size_t kSignedAttributes = 250;  // bytes, about what a mail's are in DER

void require(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(what);
}

void encrypt(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY);
    require(fd >= 0, "cannot open the file");
    const p11mime::CipherContext context(EVP_CIPHER_CTX_new());
    const std::array<unsigned char, 32> key{};
    const std::array<unsigned char, 12> nonce{};
    Octets in(256 * 1024);
    Octets out(in.size());
    require(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1, "EVP");
    int written = 0;
    for (ssize_t got = 0; (got = read(fd, in.data(), in.size())) > 0;)
        require(EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(), static_cast<int>(got)) == 1, "EVP");
    require(EVP_EncryptFinal_ex(context.get(), out.data(), &written) == 1, "EVP");
    close(fd);
}

// Card is the module's first token, logged in.
class Card {
  public:
    explicit Card(const char* path) {
        void* library = dlopen(path, RTLD_NOW);
        require(library != nullptr, "cannot load the module");
        const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
        CK_C_INITIALIZE_ARGS arguments{};
        arguments.flags = CKF_OS_LOCKING_OK;
        require(get_list != nullptr && get_list(&calls_) == CKR_OK, "no PKCS#11 module");
        require(calls_->C_Initialize(&arguments) == CKR_OK, "C_Initialize");
        slot_ = first_token();
        session_ = session();
        const char* pin = std::getenv("PIN");
        require(pin != nullptr, "$PIN is not set");
        std::string value = pin;
        require(calls_->C_Login(session_, CKU_USER, reinterpret_cast<CK_BYTE*>(value.data()), value.size()) == CKR_OK,
                "C_Login");
    }
    ~Card() { calls_->C_Finalize(nullptr); }
    Card(const Card&) = delete;
    Card& operator=(const Card&) = delete;

    const CK_FUNCTION_LIST& calls() const { return *calls_; }

    CK_SESSION_HANDLE session() const {
        CK_SESSION_HANDLE session = 0;
        require(calls_->C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr, &session) == CKR_OK,
                "C_OpenSession");
        return session;
    }

    CK_OBJECT_HANDLE key(const std::string& id_hex) const {
        Octets id;
        for (std::size_t i = 0; i + 1 < id_hex.size(); i += 2)
            id.push_back(static_cast<unsigned char>(std::stoi(id_hex.substr(i, 2), nullptr, 16)));
        CK_OBJECT_CLASS of_class = CKO_PRIVATE_KEY;
        CK_ATTRIBUTE search[] = {{CKA_CLASS, &of_class, sizeof of_class}, {CKA_ID, id.data(), id.size()}};
        CK_OBJECT_HANDLE key = 0;
        CK_ULONG count = 0;
        require(calls_->C_FindObjectsInit(session_, search, std::size(search)) == CKR_OK, "C_FindObjectsInit");
        require(calls_->C_FindObjects(session_, &key, 1, &count) == CKR_OK && count == 1, "the key is not there");
        calls_->C_FindObjectsFinal(session_);
        return key;
    }

    void sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) const {
        CK_MECHANISM mechanism{CKM_SHA256_RSA_PKCS, nullptr, 0};
        Octets data(kSignedAttributes, 'm');
        Octets signature(1024);
        CK_ULONG size = signature.size();
        require(calls_->C_SignInit(session, &mechanism, key) == CKR_OK, "C_SignInit");
        require(calls_->C_Sign(session, data.data(), data.size(), signature.data(), &size) == CKR_OK, "C_Sign");
    }

  private:
    CK_SLOT_ID first_token() const {
        std::array<CK_SLOT_ID, 16> slots{};
        CK_ULONG count = slots.size();
        require(calls_->C_GetSlotList(CK_TRUE, slots.data(), &count) == CKR_OK, "C_GetSlotList");
        for (CK_ULONG i = 0; i < count; ++i) {
            CK_TOKEN_INFO info{};
            if (calls_->C_GetTokenInfo(slots[i], &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED))
                return slots[i];
        }
        throw std::runtime_error("no token");
    }

    CK_FUNCTION_LIST* calls_ = nullptr;
    CK_SLOT_ID slot_ = 0;
    CK_SESSION_HANDLE session_ = 0;
};

// in_threads does `work` for each number below `count`, each thread with a session of its own.
void in_threads(const Card& card, int threads, std::size_t count,
                const std::function<void(CK_SESSION_HANDLE, std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> failed = false;
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < threads; ++i)
            workers.emplace_back([&] {
                try {
                    const CK_SESSION_HANDLE session = card.session();
                    for (std::size_t job = next++; job < count && !failed; job = next++)
                        work(session, job);
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "%s\n", error.what());
                    failed = true;
                }
            });
    }
    require(!failed, "a thread failed");
}

void write_file(const std::filesystem::path& path, const Octets& content) {
    const std::string temporary = path.string() + ".tmp";
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    require(fd >= 0, "cannot make a file");
    require(write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()), "cannot write");
    require(fsync(fd) == 0 && close(fd) == 0, "cannot sync");
    std::filesystem::rename(temporary, path);
}

void sign_files(const Card& card, CK_OBJECT_HANDLE key, int threads, const std::string& from, const std::string& to) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(from))
        files.push_back(entry.path());
    in_threads(card, threads, files.size(), [&](CK_SESSION_HANDLE session, std::size_t job) {
        std::ifstream file(files[job], std::ios::binary);
        const Octets content{std::istreambuf_iterator<char>(file), {}};
        card.sign(session, key);
        write_file(to / files[job].filename(), content);
    });
}

void work(const std::vector<std::string>& words) {
    const std::string& kind = words.at(0);
    if (kind == "gcm") return encrypt(words.at(1));
    const Card card(words.at(1).c_str());
    const CK_OBJECT_HANDLE key = card.key(words.at(2));
    const int threads = std::stoi(words.at(3));
    if (kind == "files") return sign_files(card, key, threads, words.at(4), words.at(5));
    in_threads(card, threads, std::stoul(words.at(4)),
               [&](CK_SESSION_HANDLE session, std::size_t) { card.sign(session, key); });
}

}  // namespace

int main(int argc, char** argv) {
    try {
        work({argv + 1, argv + argc});
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "p11mime-bench-limits: %s\n", error.what());
        return 1;
    }
}

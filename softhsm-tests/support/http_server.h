#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace p11mime::test {

/// HttpServer answers HTTP on a port of its own of 127.0.0.1, one request a connection, until it is destroyed.
class HttpServer {
  public:
    struct Request {
        std::string method;
        std::string path;
        std::map<std::string, std::string> fields;  ///< names in lower case
        std::string body;
    };
    struct Answer {
        int status = 200;
        std::string type = "application/octet-stream";
        std::string body;
        std::string location;    ///< for a redirect
        bool keep_open = false;  ///< sends nothing after the header field lines until the server ends
    };
    using Handler = std::function<Answer(const Request&)>;

    explicit HttpServer(Handler handler);
    /// One that serves files by path, 404 for others.
    explicit HttpServer(std::map<std::string, std::string> files);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    int port() const { return port_; }
    std::string url(const std::string& path) const;
    /// requests are "METHOD path" of all so far.
    std::vector<std::string> requests() const;
    Request last() const;

  private:
    void serve();
    void answer(int connection);

    Handler handler_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> ending_ = false;
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    std::vector<int> held_;
    std::thread thread_;
};

}  // namespace p11mime::test

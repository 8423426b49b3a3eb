# docker build -t xiangxun .
# docker run --name xiangxun -d -p 127.0.0.1:3000:3000 -v xiangxun:/var/lib/xiangxun \
#     -e XIANGXUN_BASE_URL=https://news.example xiangxun
# docker exec xiangxun xiangxun config check          (any command: see docs/operate.md)

FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/xiangxun /usr/local/bin/

FROM debian:bookworm-slim
# Certificates of the hosts that feeds are fetched from and mail is handed to.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/xiangxun --shell /usr/sbin/nologin xiangxun \
    && install -d -m 750 -o xiangxun -g xiangxun /var/lib/xiangxun
COPY --from=build /usr/local/bin/xiangxun /usr/local/bin/
COPY LICENSE docs/operate.md /usr/local/share/doc/xiangxun/
USER xiangxun
WORKDIR /var/lib/xiangxun
ENV XIANGXUN_LISTEN=0.0.0.0:3000 \
    XIANGXUN_DATA=/var/lib/xiangxun \
    XIANGXUN_LOG_FORMAT=json
VOLUME /var/lib/xiangxun
EXPOSE 3000
STOPSIGNAL SIGTERM
# There is no curl in here, but bash opens connections. A worker listens nowhere: --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${XIANGXUN_LISTEN##*:} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["xiangxun"]
CMD ["serve"]

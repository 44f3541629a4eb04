/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few fields of the kernel's own structs that programs read. Where they are in the running kernel, libbpf finds in its
 * BTF when it loads a program (CO-RE); a struct here has the members that are used and no others.
 * Sources: include/net/{sock,inet_sock,inet_connection_sock}.h, include/linux/{tcp,net,fs,sched,cgroup-defs}.h.
 */
#ifndef BEELINE_LIB_KERNEL_H
#define BEELINE_LIB_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define BL_KERNEL __attribute__((preserve_access_index))

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

typedef struct {
	__u32 val;
} kuid_t;

struct kernfs_node {
	__u64 id;
} BL_KERNEL;

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[];
} BL_KERNEL;

struct sock_cgroup_data {
	struct cgroup *cgroup;
} BL_KERNEL;

struct super_block {
	__u32 s_dev;
} BL_KERNEL;

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
} BL_KERNEL;

struct file {
	unsigned int f_flags;
	struct inode *f_inode;
} BL_KERNEL;

struct socket {
	struct file *file;
} BL_KERNEL;

struct proto {
	atomic64_t *memory_allocated; /* pages */
	long *sysctl_mem;
} BL_KERNEL;

struct sock_common {
	struct proto *skc_prot;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	atomic64_t skc_cookie;
} BL_KERNEL;

struct sock {
	struct sock_common __sk_common;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	int sk_rcvbuf;
	int sk_sndbuf;
	__u8 sk_shutdown; /* RCV_SHUTDOWN, SEND_SHUTDOWN */
	int sk_rcvlowat;
	__u32 sk_tsflags;
	__s32 sk_peek_off;
	unsigned long sk_lingertime; /* jiffies */
	__u8 sk_userlocks; /* SOCK_RCVBUF_LOCK: by its program */
	kuid_t sk_uid;
	struct sock_cgroup_data sk_cgrp_data;
	struct socket *sk_socket;
	void *sk_bpf_storage;
} BL_KERNEL;

struct inet_sock {
	struct sock sk;
} BL_KERNEL;

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	const void *icsk_ulp_ops;
} BL_KERNEL;

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 copied_seq;
	__u32 rcv_nxt;
	__u32 write_seq;
	__u32 notsent_lowat;
	__u16 urg_data;
	__u8 repair : 1;
	__u8 recvmsg_inq : 1;
	_Bool is_mptcp;
} BL_KERNEL;

/* Bits of skc_flags. */
enum sock_flags {
	SOCK_DONE,
	SOCK_LINGER,
	SOCK_RCVTSTAMP,
	SOCK_ZEROCOPY,
};

struct mm_struct {
	struct file *exe_file;
} BL_KERNEL;

struct thread_info {
	__u32 status;
} BL_KERNEL;

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	char comm[16];
} BL_KERNEL;

struct pt_regs {
	unsigned long r10;
	unsigned long dx;
	unsigned long orig_ax;
} BL_KERNEL;

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
} BL_KERNEL;

/* Reads what obj points to as the kernel struct of that BTF id; a bad address reads as zeros. Linux 6.2. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

#define BL_AS(type, address) ((type *)bpf_rdonly_cast((void *)(unsigned long)(address), bpf_core_type_id_kernel(type)))

#endif
